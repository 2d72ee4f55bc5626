/** The rows of the list, arranged anew only when there is something to arrange: lists may be long. */

import type { ViewItem } from "../../core/index.ts";
import type { Language } from "../language.ts";
import type { Tab } from "./inbox.header.ts";
import { type Filter, type Group, grouped, matching } from "./listing.ts";
import type { Selection } from "./selection.ts";

const minuteMs = 60_000;

export class Rows {
  items: readonly ViewItem[] = [];
  /** The ids of the items, in their order. */
  order: readonly string[] = [];
  groups: readonly Group[] = [];
  /** Rows read while the list of the unread was open: they stay in it, so that nothing moves under the hand. */
  #kept: ReadonlySet<string> = new Set();
  #made: readonly unknown[] = [];

  arrange(all: readonly ViewItem[], tab: Tab, filter: Filter, language: Language): void {
    const now = Date.now();
    // A day may have ended since, but that is seen within a minute.
    const made = [all, tab, filter, language, this.#kept, Math.floor(now / minuteMs)];
    if (made.every((one, index) => one === this.#made[index])) return;
    this.#made = made;
    const stays = (item: ViewItem) => !item.read || this.#kept.has(item.id);
    this.items = matching(tab === "unread" ? all.filter(stays) : all, filter);
    this.order = this.items.map(({ id }) => id);
    this.groups = grouped(this.items, now, language.say("Last 7 days"), language.tag);
  }

  /** Keep rows in the list of the unread, though they are read. */
  keep(items: readonly ViewItem[]): void {
    this.#kept = new Set([...this.#kept, ...items.map(({ id }) => id)]);
  }

  forgetRead(): void {
    this.#kept = new Set();
  }

  at(id: string | null): ViewItem | undefined {
    return this.items[this.order.indexOf(id ?? "")];
  }

  unread(): readonly ViewItem[] {
    return this.items.filter(({ read }) => !read);
  }

  among(selection: Selection): readonly ViewItem[] {
    return this.items.filter(({ id }) => selection.has(id));
  }

  /** The row that takes the place of the first of these when they go. */
  neighbourOf(gone: readonly ViewItem[]): string | null {
    const ids = new Set(gone.map(({ id }) => id));
    const first = this.order.findIndex((id) => ids.has(id));
    const stays = (id: string) => !ids.has(id);
    const { order } = this;
    return order.slice(first).find(stays) ?? order.slice(0, first).findLast(stays) ?? null;
  }
}
