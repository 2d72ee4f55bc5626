/**
 * The client of an inbox as a pure machine: events in, effects out (docs/reference/client-core.md).
 *
 * It knows no clock, no randomness and no I/O: whoever drives it carries out the effects and
 * brings back what came of them. The Python client is the same machine, and one test drives both.
 */

import { Acting } from "./acting.ts";
import {
  type Action,
  type CoreEvent,
  type CoreOptions,
  defaultCoreOptions,
  type Effect,
  type Followed,
  type Snapshot,
  type TimerName,
  type View,
} from "./machine.ts";
import { layOver } from "./overlay.ts";
import { type ActionAnswer, type Position, readFrame } from "./protocol.ts";
import { Reading } from "./reading.ts";
import { Turn } from "./turn.ts";
import { drawnItems, shownCounts } from "./view.ts";

export class InboxCore {
  readonly #turn: Turn;
  readonly #reading: Reading;
  #acting: Acting;
  /** The stored position this core read or wrote last. */
  #expected: Position | null = null;

  /** @param options What is left out has its default. */
  constructor(options: Partial<CoreOptions> = {}) {
    this.#turn = new Turn({ ...defaultCoreOptions, ...options });
    this.#acting = new Acting(this.#turn);
    this.#reading = new Reading(this.#turn, (epoch) => this.#acting.dropOtherEpochs(epoch));
  }

  /** Take one event in; what is to be done now, in order. */
  step(event: CoreEvent): Effect[] {
    this.#turn.begin(event.now, event.random);
    this.#handle(event);
    this.#settle();
    return this.#turn.effects;
  }

  /** What is to be drawn, with the user's pending actions laid over it. */
  view(): View {
    const held = this.#reading.held;
    const queue = this.#acting.queue;
    const layer = queue.length > 0 ? layOver(held, queue) : held;
    return {
      items: drawnItems(layer),
      counts: shownCounts(layer),
      position: held.position,
      end: held.end,
      complete: held.position !== null && held.end === null,
      synced: this.#reading.isSynced,
      pending: queue.length,
      as_of: this.#reading.asOf,
    };
  }

  /** All that survives a restart, as plain JSON. */
  snapshot(): Snapshot {
    const as_of = this.#reading.asOf;
    return { ...this.#reading.held.snapshot(), queue: this.#acting.queue, as_of };
  }

  /** What the last step did, for tabs that follow; a tab that joins needs the `snapshot`, too. */
  get followed(): Omit<Followed, "taken" | "told"> {
    return {
      changes: this.#turn.applied,
      queue: this.#acting.queue,
      synced: this.#reading.isSynced,
      live: this.#turn.live,
      as_of: this.#reading.asOf,
    };
  }

  /** Alerts that were told last, here or in another tab. */
  get told(): readonly string[] {
    return this.#reading.told;
  }

  #handle(event: CoreEvent): void {
    switch (event.type) {
      case "start":
        this.#start(event.stored);
        break;
      case "socket_open":
        this.#connected();
        break;
      case "socket_closed":
        this.#disconnected();
        break;
      case "frame":
        this.#frame(event.frame);
        break;
      case "answer":
        this.#answered(event.request, event.status, event.body);
        break;
      case "failed":
        this.#failed(event.request);
        break;
      case "timer":
        this.#ranOut(event.timer);
        break;
      case "act":
        this.#act(event.op_id, event.action);
        break;
      case "load_older":
        this.#reading.loadOlder();
        break;
      case "conflict":
        this.#conflict(event.stored);
        break;
      case "follow":
        this.#follow(event.followed);
        break;
      case "take":
        this.#acting.takeOver(event.queue);
        this.#reading.noteTold(event.told);
        this.#turn.unsaved = true;
    }
  }

  /** What is stored may come late: then what was done meanwhile follows on it, and what was heard is newer. */
  #start(stored: Snapshot | null): void {
    this.#turn.changed = true;
    if (!stored || this.#reading.held.position) return;
    this.#reading.restore(stored);
    const meanwhile = this.#acting.queue;
    this.#acting = new Acting(this.#turn, stored.queue);
    this.#acting.takeOver(meanwhile);
    this.#expected = stored.position;
  }

  #connected(): void {
    this.#turn.connected = true;
    this.#turn.healed = false;
    this.#acting.connected();
    this.#reading.connected();
  }

  #disconnected(): void {
    this.#turn.connected = this.#turn.live = false;
    this.#turn.changed = true;
    this.#reading.disconnected();
    this.#acting.disconnected();
    this.#turn.cancelAll();
  }

  #frame(data: unknown): void {
    const frame = this.#turn.connected ? readFrame(data) : null;
    if (frame) this.#reading.frame(frame);
  }

  #answered(request: number, status: number, body: unknown): void {
    if (this.#reading.isUnderWay(request)) {
      this.#reading.answered(status, body);
    } else if (this.#acting.isUnderWay(request)) {
      const answer = this.#acting.answered(status, body);
      if (answer) this.#takeAnswer(answer);
    }
  }

  /** A change set is handled like a frame; none, like a head: never applied, perhaps a hole. */
  #takeAnswer({ epoch, rev, change }: ActionAnswer): void {
    this.#reading.take(change ?? { tocsin: 1, kind: "head", epoch, rev, brev: 0 });
  }

  #failed(request: number): void {
    if (this.#reading.isUnderWay(request)) this.#reading.failed();
    else if (this.#acting.isUnderWay(request)) this.#acting.failed();
  }

  #ranOut(timer: TimerName): void {
    if (!this.#turn.ranOut(timer)) return;
    switch (timer) {
      case "own_hole":
      case "broadcast_hole":
      case "retry":
        this.#reading.beginRead();
        break;
      case "deadline":
        this.#reading.failed();
        break;
      case "action_deadline":
        this.#acting.failed();
        break;
      case "action_retry":
        break; // settling sends the next action
    }
  }

  #act(opId: string, action: Action): void {
    if (action.type !== "mark") {
      this.#acting.add(opId, action);
      return;
    }
    const { from = Number.POSITIVE_INFINITY, ...mark } = action;
    const up_to = this.#reading.held.upTo(from);
    if (up_to) this.#acting.add(opId, { ...mark, up_to });
    else this.#turn.emit({ type: "refused", op_id: opId, status: 0, problem: null });
  }

  /** Another tab wrote since: keep what it had queued, and write again over what it wrote. */
  #conflict(stored: Snapshot): void {
    this.#acting.takeOver(stored.queue);
    this.#expected = stored.position;
    this.#turn.unsaved = true;
  }

  /** Another tab leads, and writes: this one draws what it does. */
  #follow(followed: Followed): void {
    this.#turn.changed = true;
    this.#turn.live = followed.live;
    this.#reading.follow(followed);
    this.#acting.follow(followed.queue, followed.taken);
  }

  #settle(): void {
    const turn = this.#turn;
    const position = this.#reading.held.position;
    if (position) this.#acting.dropReached(position);
    this.#reading.settle();
    this.#acting.sendNext();
    if (turn.changed || turn.unsaved) turn.emit({ type: "changed" });
    if (!turn.unsaved) return;
    turn.emit({ type: "persist", snapshot: this.snapshot(), expected: this.#expected });
    this.#expected = this.#reading.held.position;
  }
}
