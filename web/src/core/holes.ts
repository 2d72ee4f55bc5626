/** What is known to be missing, and when to ask for it (sync contract, rules 3 and 4). */

import { numbersOf } from "./kept-frames.ts";
import type { Frame, Position } from "./protocol.ts";
import type { Turn } from "./turn.ts";

const timers = ["own_hole", "broadcast_hole", "retry"] as const;

export class Holes {
  readonly #turn: Turn;
  /** The largest numbers heard of in this epoch. */
  #target = { rev: 0, brev: 0 };
  /** A read is needed, whatever frames arrive. */
  #forced = false;
  /** Reads begun since nothing was missing. */
  #attempts = 0;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  force(): void {
    this.#forced = true;
  }

  /** The server was heard to stand here. */
  aim(rev: number, brev: number): void {
    this.#target = {
      rev: Math.max(this.#target.rev, rev),
      brev: Math.max(this.#target.brev, brev),
    };
  }

  /** What was heard before counts no more: the state was read anew, or dropped. */
  aimAnew(rev: number, brev: number): void {
    this.#target = { rev, brev };
  }

  isBehind(position: Position): boolean {
    return this.#forced || this.#target.rev > position.rev || this.#target.brev > position.brev;
  }

  /** A read begins: it brings whatever is known to be missing. */
  readBegins(): void {
    this.#turn.cancel(...timers);
    this.#forced = false;
    this.#attempts += 1;
  }

  /** A page came: what is asked for next is not a repetition. */
  progressed(): void {
    this.#attempts = 0;
  }

  /** Nothing is to be read any more. */
  healed(): void {
    this.#attempts = 0;
    this.#turn.cancel(...timers);
  }

  /** A read came to nothing: ask again after the backoff. */
  readFailed(): void {
    this.#setTimer("retry", 0);
  }

  /** See to it that the hole which `frame` showed will be healed. */
  await(frame: Frame, position: Position): void {
    const isHead = frame.kind === "head";
    const isForAll = isHead && (frame.spread != null || this.#missesOnlyBroadcasts(position));
    if (frame.kind === "broadcast" || isForAll) this.#awaitBroadcasts(isHead ? frame.spread : null);
    else this.#setTimer("own_hole", this.#turn.options.hole_wait_ms);
  }

  /** See to it that no hole is left without a timer. */
  awaitAny(position: Position): void {
    if (this.#turn.isSet(...timers)) return;
    if (this.#missesOnlyBroadcasts(position)) this.#awaitBroadcasts(null);
    else this.#setTimer("own_hole", this.#turn.options.hole_wait_ms);
  }

  /** Note where a frame says the server stands; ahead of the position is a hole. */
  aimAt(frame: Frame, position: Position): void {
    const { rev, brev } = numbersOf(frame);
    this.aim(rev, brev);
    if (rev > position.rev || brev > position.brev) this.await(frame, position);
  }

  #missesOnlyBroadcasts(position: Position): boolean {
    return !this.#forced && this.#target.rev <= position.rev;
  }

  /** Everybody has this hole at the same moment, so each waits a random time. */
  #awaitBroadcasts(spread: number | null | undefined): void {
    const longest = spread ?? this.#turn.options.spread_ms;
    this.#setTimer("broadcast_hole", Math.floor(this.#turn.random * longest));
  }

  #setTimer(timer: (typeof timers)[number], delayMs: number): void {
    const turn = this.#turn;
    if (!turn.connected || turn.isSet("retry")) return;
    if (this.#attempts > 0) turn.setTimer("retry", turn.backoff(this.#attempts));
    else if (!turn.isSet(timer)) turn.setTimer(timer, delayMs);
  }
}
