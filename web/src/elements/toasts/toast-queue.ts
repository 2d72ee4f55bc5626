/**
 * Which toasts are up, and for how long.
 *
 * A few are up at most; a newer one pushes the oldest away, first those that need nothing of anybody,
 * and those are only counted: they are in the inbox. When many come at once, one summary stands for
 * all that are not critical. Critical ones stay until they are closed.
 * It draws nothing and knows no page.
 */

import type { Arrived } from "../../core/index.ts";

const baseMs = 4_000;
const perCharacterMs = 50;
const longestMs = 12_000;
/** Somebody has to decide something, and may be at the door. */
const actionableMs = 120_000;
/** More than so many within so long are a burst. */
const [burstSize, burstMs] = [3, 1_000];
const summaryMs = 8_000;

interface Entry {
  readonly item: Arrived;
  readonly cameAt: number;
  /** How long it is up while nothing holds it, in milliseconds; infinite for critical ones. */
  readonly ofMs: number;
  leftMs: number;
}

export class ToastQueue {
  #entries: Entry[] = [];
  #folded: readonly Arrived[] = [];
  #summary: { leftMs: number } | null = null;
  #cameAt: number[] = [];
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

  /** What came since the last time none was up, and is not up itself; oldest first. */
  get folded(): readonly Arrived[] {
    return this.#folded;
  }

  /** Whether one summary stands for what is folded; else it is only counted. */
  get isBurst(): boolean {
    return this.#summary !== null;
  }

  add(items: readonly Arrived[]): void {
    this.#pause();
    const cameAt = Date.now();
    this.#cameAt = this.#cameAt.filter((time) => cameAt - time < burstMs);
    for (const item of items) {
      const ofMs = readingTimeMs(item);
      this.#entries.push({ item, cameAt, ofMs, leftMs: ofMs });
      if (Number.isFinite(ofMs)) this.#cameAt.push(cameAt);
    }
    if (this.#summary || this.#cameAt.length > burstSize) this.#sumUp(cameAt);
    while (this.#entries.length > this.#most()) this.#pushAway();
    this.#changed();
  }

  /** Take down every toast for which `isDone` says so, and count it no more. */
  dismiss(isDone: (item: Arrived) => boolean): void {
    const left = this.#entries.filter(({ item }) => !isDone(item));
    const folded = this.#folded.filter((item) => !isDone(item));
    if (left.length === this.#entries.length && folded.length === this.#folded.length) return;
    this.#pause();
    this.#entries = left;
    this.#folded = folded;
    if (folded.length === 0) this.#summary = null;
    this.#changed();
  }

  clear(): void {
    this.dismiss(() => true);
  }

  /** Take down the summary alone; nobody counts any more what it stood for. */
  dismissFolded(): void {
    const folded = new Set(this.#folded);
    this.dismiss((item) => folded.has(item));
  }

  /** Let no time pass while `reason` holds: somebody points at one, or nobody can see them. */
  hold(reason: string): void {
    this.#pause();
    this.#holds.add(reason);
  }

  release(reason: string): void {
    if (this.#holds.delete(reason)) this.#run();
  }

  /** One summary for what this burst brought; another one that comes while it stands only adds to it. */
  #sumUp(now: number): void {
    const isOfBurst = ({ cameAt, ofMs }: Entry) => Number.isFinite(ofMs) && now - cameAt < burstMs;
    const burst = this.#entries.filter(isOfBurst).map(({ item }) => item);
    if (burst.length === 0) return;
    this.#folded = [...this.#folded, ...burst];
    this.#entries = this.#entries.filter((entry) => !isOfBurst(entry));
    this.#summary = { leftMs: summaryMs };
  }

  #pushAway(): void {
    const ranks = this.#entries.map(({ ofMs }) => Math.max(ofMs, longestMs));
    const [entry] = this.#entries.splice(ranks.indexOf(Math.min(...ranks)), 1);
    if (entry) this.#folded = [...this.#folded, entry.item];
  }

  #changed(): void {
    if (this.#entries.length === 0 && !this.#summary) this.#folded = [];
    this.#onChange();
    this.#run();
  }

  /** All whose time runs. */
  #timed(): { leftMs: number }[] {
    return this.#summary ? [...this.#entries, this.#summary] : this.#entries;
  }

  #pause(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const passed = Date.now() - this.#runningSince;
    for (const timed of this.#timed()) timed.leftMs -= passed;
  }

  #run(): void {
    const next = Math.min(...this.#timed().map(({ leftMs }) => leftMs));
    if (this.#holds.size > 0 || this.#timer !== undefined || !Number.isFinite(next)) return;
    this.#runningSince = Date.now();
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, next));
  }

  #expire(): void {
    this.#pause();
    this.#entries = this.#entries.filter(({ leftMs }) => leftMs > 0);
    if (this.#summary && this.#summary.leftMs <= 0) {
      this.#summary = null;
      this.#folded = [];
    }
    this.#changed();
  }
}

/** Long enough to read it, or to decide; infinite for what must not be missed. */
export function readingTimeMs({ alert }: Arrived): number {
  if (alert.severity === "critical") return Number.POSITIVE_INFINITY;
  if (alert.actions?.length) return actionableMs;
  const characters = alert.title.length + (alert.body?.length ?? 0);
  return Math.min(longestMs, baseMs + perCharacterMs * characters);
}
