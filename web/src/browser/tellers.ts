/**
 * Which one of the tabs tells what arrived: the one that was looked at last. One with the focus goes before one that can
 * only be seen, and that before a hidden one; so there is one as long as there is a tab.
 *
 * What was left to a tab stays noted, in every tab, until that tab says that it told it. If it ends before, another tells.
 */

import type { Arrived } from "../core/machine.ts";
import type { Attention } from "./messages.ts";

/** More than this are not kept for a tab that does not say what became of them: the inbox has them. */
const mostLeft = 500;

export class Tellers {
  readonly #attention = new Map<string, Attention>();
  readonly #left = new Map<string, { readonly item: Arrived; readonly teller: string }>();

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
    for (const item of items) this.#left.set(item.alert_id, { item, teller });
    for (const oldest of this.#left.keys()) {
      if (this.#left.size <= mostLeft) break;
      this.#left.delete(oldest);
    }
  }

  /** These were told. */
  told(alertIds: readonly string[]): void {
    for (const alertId of alertIds) this.#left.delete(alertId);
  }

  /** Forget a tab that is gone; returns what it was left and did not tell. */
  gone(tab: string): Arrived[] {
    this.#attention.delete(tab);
    const left = [...this.#left.values()].filter(({ teller }) => teller === tab);
    this.told(left.map(({ item }) => item.alert_id));
    return left.map(({ item }) => item);
  }
}
