/** What one step of the core may use: the time, one random number, and the effects it leaves. */

import { backoffMs } from "./backoff.ts";
import type { Change } from "./held.ts";
import type { CoreOptions, Effect, RequestKind, TimerName } from "./machine.ts";
import type { WireRequest } from "./requests.ts";

export class Turn {
  readonly options: CoreOptions;
  /** The socket is connected. */
  connected = false;
  /** A read was answered since the socket opened: only now are actions sent. */
  healed = false;
  /** Nothing was missed since a read was answered, by the socket, or by the tab this one followed. */
  live = false;
  now = 0;
  random = 0;
  /** The view is another one now. */
  changed = false;
  /** The snapshot is another one now. */
  unsaved = false;
  /** What was applied, in order. */
  applied: Change[] = [];
  #effects: Effect[] = [];
  readonly #timers = new Set<TimerName>();
  #requests = 0;

  constructor(options: CoreOptions) {
    this.options = options;
  }

  begin(now: number, random: number): void {
    this.now = now;
    this.random = random;
    this.#effects = [];
    this.applied = [];
    this.changed = false;
    this.unsaved = false;
  }

  get effects(): Effect[] {
    return this.#effects;
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** Emit a request; the number it returns comes back with its answer. */
  request(kind: RequestKind, request: WireRequest): number {
    this.#requests += 1;
    this.emit({ type: "request", request: this.#requests, kind, ...request });
    return this.#requests;
  }

  isSet(...timers: TimerName[]): boolean {
    return timers.some((timer) => this.#timers.has(timer));
  }

  setTimer(timer: TimerName, delayMs: number): void {
    this.#timers.add(timer);
    this.emit({ type: "timer", timer, delay_ms: delayMs });
  }

  cancel(...timers: readonly TimerName[]): void {
    for (const timer of timers) {
      if (this.#timers.delete(timer)) this.emit({ type: "cancel", timer });
    }
  }

  cancelAll(): void {
    this.cancel(...this.#timers);
  }

  /** Whether the timer that ran out was still set; from now on it is not. */
  ranOut(timer: TimerName): boolean {
    return this.#timers.delete(timer);
  }

  backoff(attempts: number): number {
    const { backoff_base_ms, backoff_max_ms } = this.options;
    return backoffMs(attempts, this.random, backoff_base_ms, backoff_max_ms);
  }
}
