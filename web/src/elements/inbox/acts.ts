/** What a person may do to alerts, one or many: the request, what is said of it, and the way back. */

import type { TocsinClient, ViewItem } from "../../core/index.ts";
import type { Phrase } from "../language.ts";

export type Act = "read" | "unread" | "archive" | "unarchive" | "snooze" | "unsnooze" | "delete";

/** A short word at the lower edge, perhaps with a way back. */
export interface Notice {
  readonly phrase: Phrase;
  readonly values?: Readonly<Record<string, string | number>>;
  readonly undo?: () => void;
}

/** Acts that take rows out of the list they stand in, and what is said then: of one, and of several. */
const leaving: Readonly<Partial<Record<Act, readonly [Phrase, Phrase]>>> = {
  archive: ["Archived", "{n} archived"],
  unarchive: ["Moved to the inbox", "{n} moved to the inbox"],
  snooze: ["Snoozed", "{n} snoozed"],
  unsnooze: ["Moved to the inbox", "{n} moved to the inbox"],
  delete: ["Deleted", "{n} deleted"],
};

export function isLeaving(act: Act): boolean {
  return act in leaving;
}

/**
 * Do it to all of them.
 *
 * @param until When snoozed ones come back, in milliseconds since 1970.
 * @returns What to say; null where the rows show it themselves.
 */
export function carryOut(
  client: TocsinClient,
  act: Act,
  items: readonly ViewItem[],
  until = 0,
): Notice | null {
  const undos: (() => void)[] = [];
  for (let from = 0; from < items.length; from += mostAtOnce) {
    undos.push(begin(client, act, items.slice(from, from + mostAtOnce), until));
  }
  const undo = () => {
    for (const one of undos) one();
  };
  const phrase = leaving[act]?.[items.length === 1 ? 0 : 1];
  return phrase ? { phrase, values: { n: items.length }, undo } : null;
}

/** Most items that one request may change. */
const mostAtOnce = 500;

/** @returns How to take it back. */
function begin(
  client: TocsinClient,
  act: Act,
  items: readonly ViewItem[],
  until: number,
): () => void {
  switch (act) {
    case "read":
      client.markRead(items);
      return () => client.markUnread(items);
    case "unread":
      client.markUnread(items);
      return () => client.markRead(items);
    case "archive":
      client.archive(items);
      return () => client.unarchive(items);
    case "unarchive":
      client.unarchive(items);
      return () => client.archive(items);
    case "snooze":
      client.snooze(items, new Date(until));
      return () => putBack(client, items);
    case "unsnooze":
      client.unsnooze(items);
      return () => putBack(client, items);
    case "delete":
      client.remove(items);
      return () => client.restore(items);
  }
}

/** Each as it was: asleep until its own time, or awake. */
function putBack(client: TocsinClient, items: readonly ViewItem[]): void {
  client.unsnooze(items.filter(({ snoozed_until }) => !snoozed_until));
  for (const item of items) {
    if (item.snoozed_until) client.snooze(item, new Date(item.snoozed_until));
  }
}
