/** What came since the list was drawn first: rows that slide in, or a number where they are out of sight. */

import type { ViewItem } from "../../core/index.ts";
import { newerThan } from "./listing.ts";

const nobody: ReadonlySet<string> = new Set();

export class Arrivals {
  /** Rows that came with the last view, in sight. */
  fresh = nobody;
  /** How many unread ones came while the top of the list was out of sight. */
  missed = 0;
  #newest: number | null = null;

  /** Compare with the view before; the first one brings nothing new. */
  take(items: readonly ViewItem[], isInSight: boolean): void {
    const came = this.#newest === null ? [] : newerThan(items, this.#newest);
    this.fresh = isInSight ? new Set(came.map(({ id }) => id)) : nobody;
    if (!isInSight) this.missed += came.filter(({ read }) => !read).length;
    this.#newest = Math.max(this.#newest ?? 0, items[0]?.sort ?? 0);
  }

  /** The top is in sight: nothing is missed any more. Returns whether that is new. */
  seen(): boolean {
    const wasMissed = this.missed > 0;
    this.missed = 0;
    return wasMissed;
  }
}
