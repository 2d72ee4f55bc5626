/** The user's actions on their way to the server: in order, one at a time, each until answered (rule 7). */

import type { Operation, QueuedAction } from "./machine.ts";
import { type ActionAnswer, type Position, type Problem, readAction } from "./protocol.ts";
import { actionRequest } from "./requests.ts";
import type { Turn } from "./turn.ts";

/** Statuses that leave the outcome unknown although they are 4xx. */
const repeated = new Set([401, 408, 425, 429]);

/** Op-ids remembered as known; older ones are forgotten. */
const remembered = 1_000;

export class Acting {
  readonly #turn: Turn;
  #queue: readonly Operation[];
  #underWay: { readonly request: number; readonly opId: string } | null = null;
  #attempts = 0;
  readonly #had = new Set<string>();

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
    this.#setQueue([...this.#queue, ...fresh]);
    this.#note(fresh);
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
    const isRefusal = status >= 400 && status < 500 && !repeated.has(status);
    const answer = status === 200 ? readAction(body) : null;
    if (!answer && !isRefusal) {
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
    for (const oldest of this.#had) {
      if (this.#had.size <= remembered) break;
      this.#had.delete(oldest);
    }
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
