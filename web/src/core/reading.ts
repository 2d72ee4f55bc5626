/**
 * Frames and reads: what keeps the held state in step with the server (sync contract, rules 1 to 5).
 *
 * A frame in step is applied; a gap is a hole, and a hole is healed by one read after a short wait.
 * Reads go one at a time, and while one is under way frames are kept, so no answer is ever older
 * than what is held.
 */

import { Arrivals } from "./arrivals.ts";
import { Held } from "./held.ts";
import { Holes } from "./holes.ts";
import { KeptFrames } from "./kept-frames.ts";
import type { RequestKind, Snapshot } from "./machine.ts";
import {
  type BroadcastFrame,
  type ChangesAnswer,
  type Frame,
  type InboxAnswer,
  type InboxFrame,
  type OlderAnswer,
  type Position,
  type ReloadAnswer,
  readChanges,
  readInbox,
  readOlder,
} from "./protocol.ts";
import { changesRequest, inboxRequest, olderRequest, type WireRequest } from "./requests.ts";
import type { Turn } from "./turn.ts";

type ReadKind = Exclude<RequestKind, "action">;

type Answer =
  | { readonly kind: "inbox"; readonly body: InboxAnswer }
  | { readonly kind: "older"; readonly body: OlderAnswer }
  | { readonly kind: "changes"; readonly body: ChangesAnswer };

export class Reading {
  held = new Held();
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
    return this.#turn.connected && !this.#underWay && this.#nextKind() === null;
  }

  restore(snapshot: Snapshot): void {
    this.held = Held.restored(snapshot);
    this.#arrivals.note(snapshot.items);
  }

  connected(): void {
    this.#holes.force();
    this.beginRead();
  }

  disconnected(): void {
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
    this.#arrivals.note(frame.items);
    this.held.applyInboxFrame(frame, position);
    this.#turn.unsaved = true;
    return true;
  }

  #judgeBroadcast(frame: BroadcastFrame, position: Position): boolean {
    if (frame.brev > position.brev + 1) this.#keepAhead(frame, position);
    if (frame.brev !== position.brev + 1) return false;
    this.held.applyBroadcastFrame(frame, position);
    this.#turn.unsaved = true;
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
    this.#turn.unsaved = true;
    const { position } = answer.body;
    switch (answer.kind) {
      case "older":
        this.#holes.progressed();
        this.held.applyOlder(answer.body);
        this.#holes.aim(position.rev, position.brev);
        break;
      case "changes":
        this.#tellArrived(answer.body);
        this.held.applyChanges(answer.body);
        break;
      case "inbox":
        this.held.applyInbox(answer.body);
        this.#holes.aimAnew(position.rev, position.brev);
    }
    this.#arrivals.note(answer.body.items);
    if (answer.kind === "older") return;
    this.#turn.healed = true;
    this.#onRead(position.epoch);
  }

  /** The first read since the socket opened brings backlog; a later one what frames should have brought. */
  #tellArrived(answer: ChangesAnswer): void {
    if (!this.#turn.healed) return;
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
    this.held = new Held();
    this.#kept.clear();
    this.#holes.aimAnew(0, 0);
    this.#turn.healed = false;
    this.#turn.unsaved = true;
    this.beginRead();
  }
}

function readAnswer(kind: ReadKind, body: unknown): Answer | "reload" | null {
  switch (kind) {
    case "inbox":
      return answerOf(readInbox(body), (inbox) => ({ kind, body: inbox }));
    case "older":
      return answerOf(readOlder(body), (older) => ({ kind, body: older }));
    case "changes":
      return answerOf(readChanges(body), (changes) => ({ kind, body: changes }));
  }
}

function answerOf<Body extends object>(
  body: Body | ReloadAnswer | null,
  wrap: (body: Body) => Answer,
): Answer | "reload" | null {
  if (body === null) return null;
  return "reload" in body ? "reload" : wrap(body);
}
