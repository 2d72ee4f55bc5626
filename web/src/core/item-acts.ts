/** What a person does to items of the inbox, one or many: each becomes an action of the core. */

import type { InboxView } from "./client-events.ts";
import type { Action, Patch, ViewItem } from "./machine.ts";
import type { ReceiptFact } from "./receipts.ts";

/** What names an item in an action; the server refuses it if the item says something else by now. */
export type ItemKey = Pick<ViewItem, "id" | "alert_id">;

/** One item, or up to 500 that are changed together: all of them, or none. */
export type ItemKeys = ItemKey | readonly ItemKey[];

export abstract class ItemActs {
  /** Do it here at once, and have the server do it. */
  protected abstract act(action: Action): void;

  abstract view(): InboxView;

  abstract tell(item: Pick<ItemKey, "alert_id">, fact: ReceiptFact): void;

  markRead(items: ItemKeys): void {
    this.#patch(items, { read: true });
  }

  markUnread(items: ItemKeys): void {
    this.#patch(items, { read: false });
  }

  archive(items: ItemKeys): void {
    this.#patch(items, { archived: true });
  }

  unarchive(items: ItemKeys): void {
    this.#patch(items, { archived: false });
  }

  /** Hide the items until then; they return as new ones. */
  snooze(items: ItemKeys, until: Date): void {
    this.#patch(items, { snoozed_until: until.toISOString() });
  }

  /** End a snooze by hand: the items are where they were. */
  unsnooze(items: ItemKeys): void {
    this.#patch(items, { snoozed_until: null });
  }

  /** Delete the items; `restore` takes them back while the server still has them. */
  remove(items: ItemKeys): void {
    this.#patch(items, { deleted: true });
  }

  restore(items: ItemKeys): void {
    for (const { id, alert_id } of listOf(items)) this.act({ type: "restore", id, alert_id });
  }

  /** Empty the badge: everything here so far has been seen. */
  markAllSeen(): void {
    for (const item of this.view().items) if (!item.seen) this.tell(item, "seen");
    if (this.view().counts.unseen > 0) this.act({ type: "mark", action: "seen" });
  }

  /** Everything here so far has been read; with `category` only what is of it. */
  markAllRead(category?: string): void {
    if (this.view().counts.unread > 0) this.act({ type: "mark", action: "read", category });
  }

  /** This item and everything older has been read, also what is not loaded; with `category` only what is of it. */
  markReadFrom({ sort: from }: Pick<ViewItem, "sort">, category?: string): void {
    this.act({ type: "mark", action: "read", from, category });
  }

  #patch(items: ItemKeys, change: Omit<Patch, keyof ItemKey>): void {
    const patches = listOf(items).map(({ id, alert_id }) => ({ id, alert_id, ...change }));
    if (patches.length > 0) this.act({ type: "patch", patches });
  }
}

function listOf(items: ItemKeys): readonly ItemKey[] {
  return "id" in items ? [items] : items;
}
