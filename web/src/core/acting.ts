/** The user's actions on their way to the server: in order, one at a time, each until answered (rule 7). */

import type { Operation, QueuedAction } from "./machine.ts";
import {
  type ActionAnswer,
  isRefusal,
  type Position,
  type Problem,
  readAction,
} from "./protocol.ts";
import { Remembered } from "./remembered.ts";
import { actionRequest } from "./requests.ts";
import type { Turn } from "./turn.ts";

/** Op-ids remembered as known; older ones are forgotten. */
const mostKnown = 1_000;

export class Acting {
  readonly #turn: Turn;
  #queue: readonly Operation[];
  #underWay: { readonly request: number; readonly opId: string } | null = null;
  #attempts = 0;
  /** The leading tab's actions, while this one follows: op-ids. */
  #theirs: readonly string[] = [];
  readonly #had = new Remembered(mostKnown);

  constructor(turn: Turn, queue: readonly Operation[] = []) {
    this.#turn = turn;
    this.#queue = queue;
    this.#note(queue);
  }

  /** Oldest first; answered ones stay until the position has reached them. */
  get queue(): readonly Operation[] {
    return this.#queue;
  }

  add(opId: string, action: QueuedAction): void {
    const operation = { op_id: opId, action, at: this.#turn.now, answered: null };
    this.#setQueue([...this.#queue, operation]);
    this.#note([operation]);
  }

  /** Add what another tab had still to send and this one never had: what is gone from here was answered. */
  takeOver(operations: readonly Operation[]): void {
    const fresh = operations.filter(({ op_id, answered }) => !answered && !this.#had.has(op_id));
    this.#queue = [...this.#queue, ...fresh];
    this.#note(fresh);
  }

  /**
   * Take the leading tab's queue for this one's, and lay over it what that tab has still to hear of.
   *
   * @param taken What it has heard of: op-ids.
   */
  follow(queue: readonly Operation[], taken: readonly string[]): void {
    const known = new Set([...this.#theirs, ...taken, ...queue.map(({ op_id }) => op_id)]);
    const untold = this.#queue.filter(({ op_id }) => !known.has(op_id));
    this.#theirs = queue.map(({ op_id }) => op_id);
    this.#queue = [...queue, ...untold];
    this.#note(queue);
  }

  refuse(opId: string, status: number, problem: Problem | null): void {
    this.#setQueue(this.#queue.filter((operation) => operation.op_id !== opId));
    this.#turn.emit({ type: "refused", op_id: opId, status, problem });
  }

  /** Forget what the position includes. */
  dropReached({ epoch, rev }: Position): void {
    this.#dropAnswered((answered) => answered.epoch === epoch && answered.rev <= rev);
  }

  /** Forget what was answered before a restore: the state just read has it, or it was rolled back. */
  dropOtherEpochs(epoch: string): void {
    this.#dropAnswered((answered) => answered.epoch !== epoch);
  }

  /** This tab leads: what is in the queue is its own to send. */
  connected(): void {
    this.#theirs = [];
  }

  /** Forget the request under way; its action is sent again after the next read. */
  disconnected(): void {
    this.#underWay = null;
  }

  isUnderWay(request: number): boolean {
    return this.#underWay?.request === request;
  }

  /** Send the first action without an answer, if one may be sent now. */
  sendNext(): void {
    const turn = this.#turn;
    if (!turn.connected || !turn.healed || this.#underWay || turn.isSet("action_retry")) return;
    for (const operation of this.#queue) {
      if (operation.answered) continue;
      if (turn.now - operation.at > turn.options.queue_max_age_ms) {
        this.refuse(operation.op_id, 0, null);
        continue;
      }
      const request = turn.request("action", actionRequest(operation));
      this.#underWay = { request, opId: operation.op_id };
      turn.setTimer("action_deadline", turn.options.read_deadline_ms);
      return;
    }
  }

  /** Take the answer of the request under way; what it says of the inbox, if it is a yes. */
  answered(status: number, body: unknown): ActionAnswer | null {
    const opId = this.#underWay?.opId ?? "";
    const answer = status === 200 ? readAction(body) : null;
    if (!answer && !isRefusal(status)) {
      this.failed();
      return null;
    }
    this.#underWay = null;
    this.#attempts = 0;
    this.#turn.cancel("action_deadline");
    if (answer) this.#noteAnswer(opId, answer);
    else this.refuse(opId, status, body as Problem | null);
    return answer;
  }

  failed(): void {
    this.#underWay = null;
    this.#attempts += 1;
    this.#turn.cancel("action_deadline");
    this.#turn.setTimer("action_retry", this.#turn.backoff(this.#attempts));
  }

  #noteAnswer(opId: string, { epoch, rev }: ActionAnswer): void {
    this.#setQueue(
      this.#queue.map((operation) =>
        operation.op_id === opId ? { ...operation, answered: { epoch, rev } } : operation,
      ),
    );
  }

  /** Remember the last op-ids that were ever in the queue. */
  #note(operations: readonly Operation[]): void {
    for (const { op_id } of operations) this.#had.add(op_id);
  }

  #dropAnswered(isDone: (answered: { epoch: string; rev: number }) => boolean): void {
    const left = this.#queue.filter(({ answered }) => answered === null || !isDone(answered));
    if (left.length < this.#queue.length) this.#setQueue(left);
  }

  #setQueue(queue: readonly Operation[]): void {
    this.#queue = queue;
    this.#turn.changed = true;
    this.#turn.unsaved = true;
  }
}
