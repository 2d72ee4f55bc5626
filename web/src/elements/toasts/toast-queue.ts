/**
 * Which toasts are up, and for how long.
 *
 * A few are up at most; a newer one pushes the oldest away, first those that are not critical, and
 * those are only counted: they are in the inbox. Critical ones stay until they are closed.
 * It draws nothing and knows no page.
 */

import type { Arrived } from "../../core/index.ts";

const baseMs = 4_000;
const perCharacterMs = 50;
const longestMs = 12_000;

interface Entry {
  readonly item: Arrived;
  /** Time left while nothing holds it, in milliseconds; infinite for critical ones. */
  leftMs: number;
}

export class ToastQueue {
  #entries: Entry[] = [];
  #more = 0;
  #holds = new Set<string>();
  #runningSince = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onChange: () => void;
  readonly #most: () => number;

  /** @param most How many may be up now; asked whenever one comes. */
  constructor(onChange: () => void, most: () => number) {
    this.#onChange = onChange;
    this.#most = most;
  }

  /** Oldest first. */
  get items(): readonly Arrived[] {
    return this.#entries.map(({ item }) => item);
  }

  /** How many were pushed away since the last time none was up. */
  get more(): number {
    return this.#more;
  }

  add(items: readonly Arrived[]): void {
    this.#pause();
    for (const item of items) {
      this.#entries.push({ item, leftMs: readingTimeMs(item) });
      while (this.#entries.length > this.#most()) this.#pushAway();
    }
    this.#changed();
  }

  /** Take down every toast for which `isDone` says so. */
  dismiss(isDone: (item: Arrived) => boolean): void {
    const left = this.#entries.filter(({ item }) => !isDone(item));
    if (left.length === this.#entries.length) return;
    this.#pause();
    this.#entries = left;
    this.#changed();
  }

  clear(): void {
    this.dismiss(() => true);
  }

  /** Let no time pass while `reason` holds: somebody points at one, or nobody can see them. */
  hold(reason: string): void {
    this.#pause();
    this.#holds.add(reason);
  }

  release(reason: string): void {
    if (this.#holds.delete(reason)) this.#run();
  }

  #pushAway(): void {
    const index = this.#entries.findIndex(({ leftMs }) => Number.isFinite(leftMs));
    this.#entries.splice(Math.max(0, index), 1);
    this.#more += 1;
  }

  #changed(): void {
    if (this.#entries.length === 0) this.#more = 0;
    this.#onChange();
    this.#run();
  }

  #pause(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const passed = Date.now() - this.#runningSince;
    for (const entry of this.#entries) entry.leftMs -= passed;
  }

  #run(): void {
    const next = Math.min(...this.#entries.map(({ leftMs }) => leftMs));
    if (this.#holds.size > 0 || this.#timer !== undefined || !Number.isFinite(next)) return;
    this.#runningSince = Date.now();
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, next));
  }

  #expire(): void {
    this.#pause();
    this.#entries = this.#entries.filter(({ leftMs }) => leftMs > 0);
    this.#changed();
  }
}

/** Long enough to read it; infinite for what must not be missed. */
export function readingTimeMs({ alert }: Arrived): number {
  if (alert.severity === "critical") return Number.POSITIVE_INFINITY;
  const characters = alert.title.length + (alert.body?.length ?? 0);
  return Math.min(longestMs, baseMs + perCharacterMs * characters);
}
