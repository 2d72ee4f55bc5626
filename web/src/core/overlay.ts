/**
 * The user's own actions, drawn before the server has answered (sync contract, rule 7).
 *
 * Each is a function of the state below it: one that has already happened there changes nothing,
 * so nothing is counted twice.
 */

import type { Held } from "./held.ts";
import type { MarkAction, Operation, Patch, QueuedAction, UpTo } from "./machine.ts";
import { isCovered, isListed, isRead, isSeen, type MarkedRow, sumCounts, weigh } from "./marks.ts";
import type { Broadcast, Counts, OwnItem, StateRow, Watermarks } from "./protocol.ts";

type PlacedMark = MarkAction & { readonly up_to: UpTo };

/** Where a row is kept: own items by id, broadcasts by number. */
type Place = { readonly id: string; readonly brev: null } | { readonly brev: number };

/** Lay the actions over what is held, in order. */
export function layOver(held: Held, queue: readonly Operation[]): Layer {
  const layer = new Layer(held);
  for (const operation of queue) {
    layer.apply(operation.action, new Date(operation.at).toISOString());
  }
  return layer;
}

/** A copy of what is held that actions may write on; hidden own items stay in it, unlisted. */
export class Layer {
  readonly items: Map<string, OwnItem>;
  readonly broadcasts: ReadonlyMap<number, Broadcast>;
  readonly states: Map<number, StateRow>;
  readonly end: number | null;
  watermarks: Watermarks;
  counts: Counts;
  readonly #held: Held;

  constructor(held: Held) {
    this.#held = held;
    this.items = new Map(held.items);
    this.broadcasts = held.broadcasts;
    this.states = new Map(held.states);
    this.end = held.end;
    this.watermarks = held.watermarks;
    this.counts = held.counts;
  }

  apply(action: QueuedAction, at: string): void {
    switch (action.type) {
      case "patch":
        for (const patch of action.patches) this.#patch(patch, at);
        break;
      case "restore":
        this.#restore(action.id, action.alert_id);
        break;
      case "mark":
        if (action.up_to.epoch === this.#held.position?.epoch) this.#mark(action, at);
    }
  }

  #patch(patch: Patch, at: string): void {
    const place = this.#find(patch.id, patch.alert_id);
    if (!place) return;
    const row = this.#row(place);
    if (row.deleted_at) return;
    const marked: Record<string, unknown> = { ...row };
    if (patch.read !== undefined) Object.assign(marked, this.#readMarks(place, patch.read, at));
    if (patch.seen) marked.seen_at = row.seen_at ?? at;
    if (patch.archived !== undefined) marked.archived_at = patch.archived ? at : undefined;
    if (patch.snoozed_until !== undefined) marked.snoozed_until = patch.snoozed_until ?? undefined;
    if (patch.deleted) marked.deleted_at = at;
    this.#put(place, marked);
  }

  /** Unread keeps it seen, and is noted only where a watermark would say read. */
  #readMarks(place: Place, read: boolean, at: string): object {
    const row = this.#row(place);
    if (read) return { read_at: row.read_at ?? at, unread_at: undefined };
    const covered = isCovered(row, place.brev, this.watermarks, "read");
    return {
      read_at: undefined,
      unread_at: covered ? (row.unread_at ?? at) : row.unread_at,
      seen_at: isSeen(row, place.brev, this.watermarks) ? (row.seen_at ?? at) : undefined,
    };
  }

  #restore(id: string, alertId: string): void {
    const place = this.#find(id, alertId);
    if (!place) return;
    const row = this.#row(place);
    if (row.deleted_at) this.#put(place, { ...row, deleted_at: undefined });
  }

  #mark(mark: PlacedMark, at: string): void {
    const { sort, brev } = mark.up_to;
    const line = { seen_up_to: sort, read_up_to: sort, b_seen_up_to: brev, b_read_up_to: brev };
    const below = [...this.#places()].filter((place) => {
      const row = this.#row(place);
      return !row.deleted_at && isCovered(row, place.brev, line, mark.action);
    });
    if (mark.category === undefined) {
      this.#raise(mark, below, at);
      return;
    }
    for (const place of below) {
      if (this.#category(place) === mark.category) this.#markRow(place, mark.action, at);
    }
  }

  #markRow(place: Place, action: "seen" | "read", at: string): void {
    const row = this.#row(place);
    if (!isListed(row)) return;
    if (action === "read" && !isRead(row, place.brev, this.watermarks)) {
      this.#put(place, { ...row, read_at: at, unread_at: undefined });
    }
    if (action === "seen" && !isSeen(row, place.brev, this.watermarks)) {
      this.#put(place, { ...row, seen_at: at });
    }
  }

  /** Raise the watermarks, and take from the counts what that covers, also below the window. */
  #raise(mark: PlacedMark, below: readonly Place[], at: string): void {
    const read = mark.action === "read";
    for (const place of read ? below : []) {
      const row = this.#row(place);
      if (row.unread_at) this.#put(place, { ...row, read_at: at, unread_at: undefined });
    }
    const before = this.#weighItems();
    this.watermarks = raised(this.watermarks, mark);
    const after = this.#weighItems();
    const coversOlder = this.end === null || mark.up_to.sort >= this.end;
    const moved = (name: keyof Counts) =>
      coversOlder ? after[name] : this.counts[name] + after[name] - before[name];
    this.counts = { unseen: moved("unseen"), unread: read ? moved("unread") : this.counts.unread };
  }

  #find(id: string, alertId: string): Place | null {
    const item = this.items.get(id);
    if (item) return item.alert_id === alertId ? { id, brev: null } : null;
    const brev = id === alertId ? this.#held.brevOf(alertId) : null;
    return brev === null ? null : { brev };
  }

  *#places(): Iterable<Place> {
    for (const id of this.items.keys()) yield { id, brev: null };
    for (const brev of this.broadcasts.keys()) yield { brev };
  }

  #row(place: Place): MarkedRow {
    const row = place.brev === null ? this.items.get(place.id) : this.states.get(place.brev);
    return row ?? {};
  }

  #category(place: Place): string | undefined {
    const row = place.brev === null ? this.items.get(place.id) : this.broadcasts.get(place.brev);
    return row?.alert.category;
  }

  #put(place: Place, row: object): void {
    if (place.brev !== null) {
      this.states.set(place.brev, { rev: 0, ...row, brev: place.brev });
      return;
    }
    const before = weigh(this.#row(place), null, this.watermarks);
    const after = weigh(row, null, this.watermarks);
    this.items.set(place.id, row as OwnItem);
    this.counts = {
      unseen: this.counts.unseen + after.unseen - before.unseen,
      unread: this.counts.unread + after.unread - before.unread,
    };
  }

  #weighItems(): Counts {
    return sumCounts([...this.items.values()].map((item) => weigh(item, null, this.watermarks)));
  }
}

function raised(watermarks: Watermarks, mark: PlacedMark): Watermarks {
  const { sort, brev } = mark.up_to;
  const risen = { ...watermarks };
  for (const name of ["seen", mark.action] as const) {
    risen[`${name}_up_to`] = Math.max(watermarks[`${name}_up_to`], sort);
    risen[`b_${name}_up_to`] = Math.max(watermarks[`b_${name}_up_to`], brev);
  }
  return risen;
}
