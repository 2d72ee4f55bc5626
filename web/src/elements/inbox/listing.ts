/** Which alerts a list shows, and under which headings. Draws nothing; times are milliseconds since 1970. */

import type { ViewItem } from "../../core/index.ts";

/** What the list narrows down to; an empty text means any. */
export interface Filter {
  readonly severity: string;
  readonly category: string;
}

/** Alerts of one day or longer span, under one heading. */
export interface Group {
  readonly key: string;
  readonly title: string;
  readonly items: readonly ViewItem[];
}

export const anything: Filter = { severity: "", category: "" };

/** The key of the group whose heading is a day that no row says again. */
export const yesterday = "1";

const dayMs = 86_400_000;

export function isNarrow(filter: Filter): boolean {
  return filter.severity !== "" || filter.category !== "";
}

/** The items of that severity and category, in their order. */
export function matching(items: readonly ViewItem[], filter: Filter): readonly ViewItem[] {
  if (!isNarrow(filter)) return items;
  const { severity, category } = filter;
  return items.filter(
    ({ alert }) =>
      (severity === "" || alert.severity === severity) &&
      (category === "" || alert.category === category),
  );
}

/** The categories there are, in the order of the alphabet. */
export function categoriesOf(items: readonly ViewItem[]): string[] {
  const all = items.flatMap(({ alert }) => alert.category ?? []);
  return [...new Set(all)].sort((a, b) => a.localeCompare(b));
}

/** When the item came into the inbox, or woke. */
export function arrivedAt(item: Pick<ViewItem, "sort">): number {
  return Math.floor(item.sort / 1_000);
}

/** Which items came after `sort`; they are the first ones of a list that has the newest first. */
export function newerThan(items: readonly ViewItem[], sort: number): readonly ViewItem[] {
  const first = items.findIndex((item) => item.sort <= sort);
  return items.slice(0, first < 0 ? items.length : first);
}

/**
 * Newest first, by today, yesterday, the week before, then by months.
 *
 * @param week What the days before yesterday are called.
 */
export function grouped(
  items: readonly ViewItem[],
  now: number,
  week: string,
  locale?: string,
): readonly Group[] {
  const groups: (Group & { readonly items: ViewItem[]; readonly from: number })[] = [];
  for (const item of items) {
    const at = arrivedAt(item);
    const last = groups.at(-1);
    if (last && at >= last.from) last.items.push(item);
    else groups.push({ ...spanOf(at, now, week, locale), items: [item] });
  }
  return groups;
}

/** The span that a time lies in: its beginning and its name. */
function spanOf(at: number, now: number, week: string, locale?: string) {
  const today = new Date(now).setHours(0, 0, 0, 0);
  // Noon, because a day may have 23 or 25 hours.
  const daysAgo = (days: number) => new Date(today + dayMs / 2 - days * dayMs).setHours(0, 0, 0, 0);
  const day = (back: number) =>
    new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-back, "day");
  if (at >= today) return { key: "0", from: today, title: day(0) };
  if (at >= daysAgo(1)) return { key: yesterday, from: daysAgo(1), title: day(1) };
  if (at >= daysAgo(6)) return { key: "2", from: daysAgo(6), title: week };
  const date = new Date(at);
  const from = new Date(date.getFullYear(), date.getMonth()).getTime();
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  const form = new Intl.DateTimeFormat(locale, {
    month: "long",
    ...(!isThisYear && { year: "numeric" }),
  });
  return { key: String(from), from, title: form.format(at) };
}
