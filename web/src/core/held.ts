/**
 * What a client holds of an inbox, and how frames and answers change it (sync contract, rule 5).
 *
 * Rows are replaced, never changed in place, so a snapshot may share them.
 */

import type { Snapshot, UpTo } from "./machine.ts";
import { isListed } from "./marks.ts";
import type {
  Answer,
  Broadcast,
  BroadcastFrame,
  Counts,
  InboxAnswer,
  InboxFrame,
  OwnItem,
  Position,
  StateRow,
  Watermarks,
} from "./protocol.ts";

interface OwnChanges {
  readonly items: readonly OwnItem[];
  readonly removed: readonly string[];
  readonly states: readonly StateRow[];
  readonly watermarks: Watermarks;
  readonly counts: Counts;
}

type Whole = Omit<InboxAnswer, "position">;

/** What changes the state: applied in the same order to the same state it gives the same one, in any tab. */
export type Change =
  | Answer
  | { readonly kind: "frame"; readonly body: InboxFrame | BroadcastFrame }
  /** All was dropped, to be read anew. */
  | { readonly kind: "reload"; readonly body: null };

type HeldState = Omit<Snapshot, "queue" | "as_of">;

const nothing: HeldState = {
  position: null,
  items: [],
  end: null,
  broadcasts: [],
  states: [],
  watermarks: { seen_up_to: 0, read_up_to: 0, b_seen_up_to: 0, b_read_up_to: 0 },
  counts: { unseen: 0, unread: 0 },
};

/** Own listed items down to `end` (null: all of them), live broadcasts, and what belongs to them. */
export class Held {
  position!: Position | null;
  items!: Map<string, OwnItem>;
  end!: number | null;
  broadcasts!: Map<number, Broadcast>;
  states!: Map<number, StateRow>;
  watermarks!: Watermarks;
  counts!: Counts;

  constructor() {
    this.restore(nothing);
  }

  restore(state: HeldState): void {
    this.position = state.position;
    this.#replace(state);
  }

  snapshot(): HeldState {
    return {
      position: this.position,
      items: [...this.items.values()],
      end: this.end,
      broadcasts: [...this.broadcasts.values()],
      states: [...this.states.values()],
      watermarks: this.watermarks,
      counts: this.counts,
    };
  }

  /** Apply an answer, or a frame that is the next one. */
  apply({ kind, body }: Change): void {
    switch (kind) {
      case "inbox": // begin anew with the newest page
        this.position = body.position;
        this.#replace(body);
        break;
      case "older": // the position stays, so a page that ran ahead is healed later
        this.end = body.end ?? null;
        this.#putItems(body.items);
        break;
      case "changes":
        this.position = body.position;
        this.#applyOwn(body);
        for (const broadcast of body.broadcasts ?? []) this.#putBroadcast(broadcast);
        if (body.live) this.#forgetAllBut(new Set(body.live), body.position.brev);
        break;
      case "frame":
        this.#applyFrame(body);
        break;
      case "reload":
        this.restore(nothing);
    }
  }

  /** The number of the live broadcast that says `alertId`, or null. */
  brevOf(alertId: string): number | null {
    for (const [brev, broadcast] of this.broadcasts) {
      if (broadcast.alert_id === alertId) return brev;
    }
    return null;
  }

  /**
   * What a mark covers that begins with the row drawn at `top`: own items and woken broadcasts by `sort`, others by
   * `brev`. Undefined while nothing is known.
   *
   * A broadcast's own `sort` is the hub's and says nothing about which own items this user had: it is never taken.
   */
  upTo(top: number): UpTo | undefined {
    if (!this.position) return;
    let { epoch, brev } = this.position;
    let sort = Math.min(this.end ?? 0, top);
    const take = (own = 0) => {
      if (own <= top) sort = Math.max(sort, own);
    };
    for (const item of this.items.values()) take(item.sort);
    for (const [number, broadcast] of this.broadcasts) {
      take(this.states.get(number)?.sort);
      if (broadcast.sort > top) brev = Math.min(brev, number - 1);
    }
    return { epoch, sort, brev };
  }

  /** State rows are the user's: what a broadcast says never touches them. */
  #applyFrame(frame: InboxFrame | BroadcastFrame): void {
    const before = this.position ?? { epoch: frame.epoch, rev: 0, brev: 0 };
    if (frame.kind === "inbox") {
      this.position = { ...before, rev: frame.rev };
      this.#applyOwn(frame);
    } else {
      this.position = { ...before, brev: frame.brev };
      if (frame.add) this.#putBroadcast(frame.add);
      if (frame.withdraw != null) this.broadcasts.delete(frame.withdraw);
    }
  }

  #replace(whole: Whole): void {
    this.end = whole.end ?? null;
    this.items = new Map(whole.items.map((item) => [item.id, undecided(item)]));
    this.broadcasts = new Map();
    for (const broadcast of whole.broadcasts) this.#putBroadcast(broadcast);
    this.states = new Map(whole.states.map((row) => [row.brev, row]));
    this.watermarks = whole.watermarks;
    this.counts = whole.counts;
  }

  #applyOwn(changes: OwnChanges): void {
    this.#putItems(changes.items);
    for (const id of changes.removed) this.items.delete(id);
    for (const row of changes.states) this.states.set(row.brev, row);
    this.watermarks = changes.watermarks;
    this.counts = changes.counts;
  }

  #putItems(items: readonly OwnItem[]): void {
    for (const item of items) {
      const inWindow = this.end === null || item.sort >= this.end;
      if (inWindow && isListed(item)) this.items.set(item.id, undecided(item));
      else this.items.delete(item.id);
    }
  }

  #putBroadcast(broadcast: Broadcast): void {
    this.broadcasts.set(broadcast.brev, undecided(broadcast));
  }

  #forgetAllBut(live: ReadonlySet<number>, upTo: number): void {
    for (const brev of this.broadcasts.keys()) {
      if (!live.has(brev)) this.broadcasts.delete(brev);
    }
    for (const brev of this.states.keys()) {
      if (brev <= upTo && !live.has(brev)) this.states.delete(brev);
    }
  }
}

/** Leave out what the server decided: a watermark may rise later, and then it would be stale. */
function undecided<Row extends object>(row: Row): Row {
  if (!("seen" in row || "read" in row)) return row;
  const { seen, read, ...rest } = row as Row & { seen?: unknown; read?: unknown };
  return rest as Row;
}
