/**
 * Frames and reads: what keeps the held state in step with the server (sync contract, rules 1 to 5).
 *
 * A frame in step is applied; a gap is a hole, and a hole is healed by one read after a short wait.
 * Reads go one at a time, and while one is under way frames are kept, so no answer is ever older
 * than what is held.
 */

import { Arrivals } from "./arrivals.ts";
import { type Change, Held } from "./held.ts";
import { Holes } from "./holes.ts";
import { KeptFrames } from "./kept-frames.ts";
import type { Followed, Snapshot } from "./machine.ts";
import {
  type Answer,
  type BroadcastFrame,
  type ChangesAnswer,
  type Frame,
  type InboxFrame,
  type OwnItem,
  type Position,
  readAnswer,
} from "./protocol.ts";
import { changesRequest, inboxRequest, olderRequest, type WireRequest } from "./requests.ts";
import type { Turn } from "./turn.ts";

type ReadKind = Answer["kind"];

export class Reading {
  readonly held = new Held();
  readonly #turn: Turn;
  readonly #arrivals = new Arrivals();
  readonly #kept: KeptFrames;
  readonly #holes: Holes;
  /** Told when the state was read anew: the actions answered under another epoch are past. */
  readonly #onRead: (epoch: string) => void;
  /** The `sort` down to which pages are wanted. */
  #goal = Number.POSITIVE_INFINITY;
  #underWay: { readonly request: number; readonly kind: ReadKind } | null = null;
  #asOf: number | null = null;
  /** Whether the tab that this one follows is in step. */
  #leaderIsSynced = false;

  constructor(turn: Turn, onRead: (epoch: string) => void) {
    this.#turn = turn;
    this.#onRead = onRead;
    this.#holes = new Holes(turn);
    this.#kept = new KeptFrames(turn.options.keep_limit);
  }

  /** When the server last said something, in milliseconds since 1970. */
  get asOf(): number | null {
    return this.#asOf;
  }

  get isSynced(): boolean {
    if (!this.#turn.connected) return this.#leaderIsSynced;
    return !this.#underWay && this.#nextKind() === null;
  }

  /** Alerts that were told last. */
  get told(): readonly string[] {
    return this.#arrivals.told;
  }

  noteTold(alertIds: readonly string[]): void {
    this.#arrivals.noteTold(alertIds);
  }

  restore(snapshot: Snapshot): void {
    this.held.restore(snapshot);
    this.#asOf = snapshot.as_of ?? null;
    this.#arrivals.note(snapshot.items);
  }

  /** Do what the leading tab did. */
  follow({ snapshot, changes, told, synced, as_of }: Followed): void {
    if (snapshot) this.restore(snapshot);
    for (const change of changes) {
      this.held.apply(change);
      this.#arrivals.note(itemsOf(change));
    }
    this.#arrivals.noteTold(told);
    this.#leaderIsSynced = synced;
    this.#asOf = as_of;
  }

  connected(): void {
    this.#leaderIsSynced = false;
    this.#holes.force();
    this.beginRead();
  }

  disconnected(): void {
    this.#leaderIsSynced = false;
    this.#underWay = null;
    this.#kept.clear();
  }

  loadOlder(): void {
    const { position, end } = this.held;
    if (position && end !== null) this.#goal = Math.min(this.#goal, end - 1);
  }

  /** Take a frame from the socket. */
  frame(frame: Frame): void {
    this.#asOf = this.#turn.now;
    this.#turn.changed = true;
    const items = this.#arrivals.inFrame(frame, this.held);
    if (items.length > 0) this.#turn.emit({ type: "arrived", items });
    this.take(frame);
  }

  /** Apply a frame in step and what was kept behind it; else keep or drop it. */
  take(frame: Frame): void {
    if (this.#judge(frame)) this.#takeKept();
  }

  isUnderWay(request: number): boolean {
    return this.#underWay?.request === request;
  }

  /** Begin the next read, if there is one to do: holes heal before paging goes on. */
  beginRead(): void {
    const kind = this.#nextKind();
    if (kind === null) return;
    this.#holes.readBegins();
    this.#turn.changed = true;
    this.#underWay = { request: this.#turn.request(kind, this.#requestOf(kind)), kind };
    this.#turn.setTimer("deadline", this.#turn.options.read_deadline_ms);
  }

  /** Take the answer of the read under way. */
  answered(status: number, body: unknown): void {
    const kind = this.#underWay?.kind ?? "inbox";
    const answer = status === 200 ? readAnswer(kind, body) : null;
    if (!answer || (kind === "inbox" && answer === "reload")) {
      this.failed();
      return;
    }
    this.#endRead();
    this.#asOf = this.#turn.now;
    const epoch = this.held.position?.epoch;
    if (answer === "reload" || (epoch !== undefined && answer.body.position.epoch !== epoch)) {
      this.#reload();
      return;
    }
    this.#apply(answer);
    this.#takeKept();
  }

  failed(): void {
    this.#endRead();
    this.#holes.force();
    this.#takeKept();
    this.#holes.readFailed();
  }

  /** After every event: forget what is reached, begin what can begin, leave no hole without a timer. */
  settle(): void {
    if (!this.#turn.connected || this.#underWay) return;
    const kind = this.#nextKind();
    if (kind === null) {
      this.#holes.healed();
    } else if (kind === "older") {
      this.beginRead();
    } else if (this.held.position) {
      this.#holes.awaitAny(this.held.position);
    }
  }

  /** Handle one frame by rule 3; true if it was applied. */
  #judge(frame: Frame): boolean {
    const position = this.held.position;
    if (this.#underWay || !position) {
      this.#keep(frame);
      return false;
    }
    if (frame.epoch !== position.epoch) {
      this.#holes.force();
      this.#holes.await(frame, position);
      return false;
    }
    switch (frame.kind) {
      case "head":
        this.#holes.aimAt(frame, position);
        return false;
      case "inbox":
        return this.#judgeOwn(frame, position);
      case "broadcast":
        return this.#judgeBroadcast(frame, position);
    }
  }

  #judgeOwn(frame: InboxFrame, position: Position): boolean {
    if (frame.rev > position.rev + 1) this.#keepAhead(frame, position);
    if (frame.rev !== position.rev + 1) return false;
    this.#put({ kind: "frame", body: frame });
    return true;
  }

  #judgeBroadcast(frame: BroadcastFrame, position: Position): boolean {
    if (frame.brev > position.brev + 1) this.#keepAhead(frame, position);
    if (frame.brev !== position.brev + 1) return false;
    this.#put({ kind: "frame", body: frame });
    return true;
  }

  #takeKept(): void {
    for (const frame of this.#kept.takeAll()) this.#judge(frame);
  }

  #keep(frame: Frame): void {
    if (!this.#kept.add(frame)) this.#holes.force();
  }

  #keepAhead(frame: Frame, position: Position): void {
    this.#keep(frame);
    this.#holes.aimAt(frame, position);
  }

  #nextKind(): ReadKind | null {
    const { position, end } = this.held;
    if (!position) return "inbox";
    if (this.#holes.isBehind(position)) return "changes";
    return end !== null && end > this.#goal ? "older" : null;
  }

  #requestOf(kind: ReadKind): WireRequest {
    const { position, end } = this.held;
    const limit = this.#turn.options.page_limit;
    if (!position) return inboxRequest(limit);
    return kind === "older" && end !== null
      ? olderRequest(limit, end, position)
      : changesRequest(position);
  }

  #apply(answer: Answer): void {
    const { epoch, rev, brev } = answer.body.position;
    if (answer.kind === "changes") this.#tellArrived(answer.body);
    this.#put(answer);
    if (answer.kind === "older") {
      this.#holes.progressed();
      this.#holes.aim(rev, brev);
      return;
    }
    if (answer.kind === "inbox") this.#holes.aimAnew(rev, brev);
    this.#turn.healed = this.#turn.live = true;
    this.#onRead(epoch);
  }

  #put(change: Change): void {
    this.held.apply(change);
    this.#arrivals.note(itemsOf(change));
    this.#turn.applied.push(change);
    this.#turn.unsaved = true;
  }

  /** After a break a read brings backlog; while nothing was missed it brings what frames should have brought. */
  #tellArrived(answer: ChangesAnswer): void {
    if (!this.#turn.live) return;
    const items = this.#arrivals.inChanges(answer, this.held);
    if (items.length > 0) this.#turn.emit({ type: "arrived", items });
  }

  #endRead(): void {
    this.#underWay = null;
    this.#turn.changed = true;
    this.#turn.cancel("deadline");
  }

  /** The position cannot be served from: drop it all, read anew, page down to where it was (rule 8). */
  #reload(): void {
    this.#goal = Math.min(this.#goal, this.held.end ?? 0);
    this.#put({ kind: "reload", body: null });
    this.#kept.clear();
    this.#holes.aimAnew(0, 0);
    this.#turn.healed = false;
    this.beginRead();
  }
}

/** The own items that a change brings; a broadcast is no item of its own. */
function itemsOf({ body }: Change): readonly OwnItem[] {
  return body && "items" in body ? body.items : [];
}
