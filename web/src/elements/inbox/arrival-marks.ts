/** Which rows are new since the last drawing, so that only those slide in. */

import type { ViewItem } from "../../core/index.ts";

export class ArrivalMarks {
  #known: ReadonlySet<string> | null = null;
  #newest = 0;

  /**
   * The alerts that came on top since the last call; none on the first.
   *
   * @param isAtTop Whether the top of the list is in sight: further down nothing may move.
   */
  next(items: readonly ViewItem[], isAtTop: boolean): ReadonlySet<string> {
    const known = this.#known;
    const fresh = items.filter(
      (item) => known && isAtTop && item.sort > this.#newest && !known.has(item.alert_id),
    );
    this.#known = new Set(items.map((item) => item.alert_id));
    this.#newest = items[0]?.sort ?? this.#newest;
    return new Set(fresh.map((item) => item.alert_id));
  }
}
