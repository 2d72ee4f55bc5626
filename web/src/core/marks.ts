/** What counts as listed, seen and read (sync contract, section 1). */

import type { Counts, Marks, Watermarks } from "./protocol.ts";

/** An own item, or the state row of a broadcast (an empty one where the user never touched it). */
export interface MarkedRow extends Marks {
  readonly sort?: number;
}

/** Lists show and counts count only what is not deleted, archived or snoozed. */
export function isListed(row: MarkedRow): boolean {
  return !row.deleted_at && !row.archived_at && !row.snoozed_until;
}

/**
 * Whether the watermark of `mark` has risen above the row.
 *
 * A broadcast that woke from snooze has a `sort` and is judged by it, like an own item.
 *
 * @param brev The broadcast's number; null for an own item.
 */
export function isCovered(
  row: MarkedRow,
  brev: number | null,
  watermarks: Watermarks,
  mark: "seen" | "read",
): boolean {
  if (row.sort != null) return row.sort <= watermarks[`${mark}_up_to`];
  return brev !== null && brev <= watermarks[`b_${mark}_up_to`];
}

/** `read_at` says yes, `unread_at` says no, else the watermark decides. */
export function isRead(row: MarkedRow, brev: number | null, watermarks: Watermarks): boolean {
  return !!row.read_at || (!row.unread_at && isCovered(row, brev, watermarks, "read"));
}

/** Read, or `seen_at`, or the seen watermark. */
export function isSeen(row: MarkedRow, brev: number | null, watermarks: Watermarks): boolean {
  return !!row.seen_at || isCovered(row, brev, watermarks, "seen") || isRead(row, brev, watermarks);
}

/** What the row adds to the counts. */
export function weigh(row: MarkedRow, brev: number | null, watermarks: Watermarks): Counts {
  if (!isListed(row)) return { unseen: 0, unread: 0 };
  return {
    unseen: isSeen(row, brev, watermarks) ? 0 : 1,
    unread: isRead(row, brev, watermarks) ? 0 : 1,
  };
}

/** Add counts up. */
export function sumCounts(counts: Iterable<Counts>): Counts {
  let unseen = 0;
  let unread = 0;
  for (const one of counts) {
    unseen += one.unseen;
    unread += one.unread;
  }
  return { unseen, unread };
}
