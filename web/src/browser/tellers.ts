/**
 * Which one of the tabs tells what arrived: the one that was looked at last. One with the focus goes before one that can
 * only be seen, and that before a hidden one; so there is one as long as there is a tab.
 *
 * What was left to a tab stays noted, in every tab, until that tab says that it told it. If it ends before, another tells.
 * What was told stays noted, too: two tabs that lead one after the other may both leave the same to somebody, and what
 * they say may come in any order.
 */

import type { Arrived } from "../core/machine.ts";
import { Remembered } from "../core/remembered.ts";
import type { Attention } from "./messages.ts";

/** More than this are not kept for a tab that does not say what became of them: the inbox has them. */
const mostLeft = 500;

export class Tellers {
  readonly #attention = new Map<string, Attention>();
  readonly #left = new Map<string, { readonly item: Arrived; readonly teller: string }>();
  readonly #told = new Remembered(mostLeft);

  /** A tab is looked at, or no more; of those that are looked at alike the last one counts. */
  note(tab: string, attention: Attention): void {
    this.#attention.delete(tab);
    this.#attention.set(tab, attention);
  }

  /** The tab to leave it to. */
  choose(): string {
    let [chosen, most] = ["", -1];
    for (const [tab, attention] of this.#attention) {
      if (attention >= most) [chosen, most] = [tab, attention];
    }
    return chosen;
  }

  get tabs(): readonly string[] {
    return [
      ...this.#attention.keys(),
      ...new Set([...this.#left.values()].map((one) => one.teller)),
    ];
  }

  /** These were left to that tab to tell. */
  leave(items: readonly Arrived[], teller: string): void {
    for (const item of this.untold(items)) this.#left.set(item.alert_id, { item, teller });
    for (const oldest of this.#left.keys()) {
      if (this.#left.size <= mostLeft) break;
      this.#left.delete(oldest);
    }
  }

  /** Those of them that no tab has said it told. */
  untold(items: readonly Arrived[]): readonly Arrived[] {
    return items.filter(({ alert_id }) => !this.#told.has(alert_id));
  }

  /** These were told. */
  told(alertIds: readonly string[]): void {
    for (const alertId of alertIds) {
      this.#left.delete(alertId);
      this.#told.add(alertId);
    }
  }

  /** Forget a tab that is gone; returns what it was left and did not tell. */
  gone(tab: string): Arrived[] {
    this.#attention.delete(tab);
    const left = [...this.#left.values()].filter(({ teller }) => teller === tab);
    for (const { item } of left) this.#left.delete(item.alert_id);
    return left.map(({ item }) => item);
  }
}
