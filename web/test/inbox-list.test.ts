import { expect, test } from "vitest";
import type { ViewItem } from "../src/core/index.ts";
import { Arrivals } from "../src/elements/inbox/arrivals.ts";
import { actOf, bindings, commandOf, goesTo, keyOf } from "../src/elements/inbox/keys.ts";
import { categoriesOf, grouped, matching, newerThan } from "../src/elements/inbox/listing.ts";
import { Heights, partInSight } from "../src/elements/inbox/row-window.ts";
import { Selection } from "../src/elements/inbox/selection.ts";
import { snoozeTimes } from "../src/elements/inbox/snooze-times.ts";
import { alertOf } from "./fixtures.ts";

/** Wednesday, 15:20, where the test runs. */
const now = new Date(2026, 10, 18, 15, 20).getTime();

function row(id: string, at: number, change: object = {}): ViewItem {
  const alert = alertOf(id, change);
  return { id, alert_id: id, sort: at * 1_000, alert, seen: false, read: false };
}

function at(month: number, day: number, hour = 12): number {
  return new Date(2026, month - 1, day, hour).getTime();
}

test("rows stand under today, yesterday, the week before, and then under months", () => {
  const times = [
    at(11, 18, 0),
    at(11, 17, 23),
    at(11, 17, 0),
    at(11, 16),
    at(11, 12, 0),
    at(11, 11),
  ];
  const older = [at(10, 31), new Date(2025, 10, 30).getTime()];
  const items = [...times, ...older].map((time, index) => row(`${index}`, time));
  const groups = grouped(items, now, "Last 7 days", "en");
  expect(groups.map(({ title, items }) => [title, items.length])).toEqual([
    ["today", 1],
    ["yesterday", 2],
    ["Last 7 days", 2],
    ["November", 1],
    ["October", 1],
    ["November 2025", 1],
  ]);
  expect(new Set(groups.map(({ key }) => key)).size).toBe(6);
});

test("a clock that is behind the server's still says today", () => {
  expect(grouped([row("a", now + 90_000_000)], now, "", "en")[0]?.title).toBe("today");
});

test("a filter leaves what has its severity and its category", () => {
  const items = [
    row("a", 3, { severity: "error", category: "ops" }),
    row("b", 2, { severity: "error" }),
    row("c", 1, { category: "comments" }),
  ];
  const ids = (severity: string, category: string) =>
    matching(items, { severity, category }).map(({ id }) => id);
  expect(ids("", "")).toEqual(["a", "b", "c"]);
  expect(ids("error", "")).toEqual(["a", "b"]);
  expect(ids("error", "ops")).toEqual(["a"]);
  expect(ids("info", "ops")).toEqual([]);
  expect(categoriesOf(items)).toEqual(["comments", "ops"]);
});

test("what came is what is newer than all that was there, not what came back", () => {
  const items = [row("d", 4), row("c", 3), row("b", 2)];
  expect(newerThan(items, 3_000).map(({ id }) => id)).toEqual(["d"]);
  const arrivals = new Arrivals();
  arrivals.take(items, true);
  expect(arrivals.fresh.size).toBe(0);
  arrivals.take(items.slice(1), true);
  arrivals.take([row("e", 5), ...items], true);
  expect([...arrivals.fresh]).toEqual(["e"]);
  arrivals.take([row("f", 6), row("e", 5), ...items], false);
  expect([arrivals.fresh.size, arrivals.missed, arrivals.seen(), arrivals.seen()]).toEqual([
    0,
    1,
    true,
    false,
  ]);
});

test("rows are chosen one by one, up to one, all, and never when they are gone", () => {
  const order = ["a", "b", "c", "d"];
  const two = Selection.none.toggled("b").upTo("d", order);
  expect([...two.ids]).toEqual(["b", "c", "d"]);
  expect([...two.toggled("c").upTo("a", order).ids].sort()).toEqual(order);
  expect([...two.among(["a", "d"]).ids]).toEqual(["d"]);
  expect(two.among(order)).toBe(two);
  expect(two.all(order).size).toBe(4);
  expect(two.all(order).all(order).size).toBe(0);
  expect([...Selection.none.upTo("c", order).ids]).toEqual(["c"]);
});

test("snooze offers what is ahead: the evening by day, and a Monday that is not tomorrow", () => {
  const offered = (time: number) =>
    snoozeTimes(time).map(({ phrase, at }) => [phrase, new Date(at).toString().slice(0, 21)]);
  expect(offered(now)).toEqual([
    ["In an hour", "Wed Nov 18 2026 16:20"],
    ["This evening", "Wed Nov 18 2026 18:00"],
    ["Tomorrow", "Thu Nov 19 2026 09:00"],
    ["Next week", "Mon Nov 23 2026 09:00"],
  ]);
  expect(offered(at(11, 22, 20)).slice(1)).toEqual([
    ["Tomorrow", "Mon Nov 23 2026 09:00"],
    ["Next week", "Mon Nov 30 2026 09:00"],
  ]);
});

test("every key does one thing, and none with a key that makes it the browser's", () => {
  const all = bindings.flatMap(({ keys }) => keys);
  expect(new Set(all).size).toBe(all.length);
  const press = (key: string, held: object = {}) =>
    commandOf({ key, ctrlKey: false, metaKey: false, altKey: false, ...held } as KeyboardEvent);
  expect(press("e")).toBe("archive");
  expect(press("e", { ctrlKey: true })).toBeNull();
  expect(press("q")).toBeNull();
  expect(["range", "first", "delete"].map((one) => keyOf(one as "range"))).toEqual([
    "Shift+X",
    "Home",
    "#",
  ]);
  expect([goesTo("next", -1, 3), goesTo("next", 2, 3), goesTo("previous", 0, 3)]).toEqual([
    0, 2, 0,
  ]);
  expect([actOf("archive", false, "unsnooze"), actOf("archive", false)]).toEqual([
    "unsnooze",
    "archive",
  ]);
  expect(actOf("unread", true, "unarchive")).toBe("unread");
});

test("of a long list only what is in sight is drawn, and the rest has its height", () => {
  const keys = Array.from({ length: 10_000 }, (_, index) => `${index}`);
  const heights = new Heights();
  for (const key of keys.slice(0, 10)) heights.measured(key, 100);
  const { from, to, above, below } = partInSight(keys, heights, 500_000, 600);
  expect([from, to]).toEqual([4_988, 5_019]);
  expect(above + below + (to - from) * 100).toBe(1_000_000);
  expect(partInSight(keys.slice(0, 80), heights, 500_000, 600)).toEqual({
    from: 0,
    to: 80,
    above: 0,
    below: 0,
  });
});

test("heights that were measured count, the others are their mean", () => {
  const heights = new Heights();
  heights.measured("a", 60);
  heights.measured("b", 100);
  heights.measured("b", 80);
  expect([heights.of("a"), heights.of("b"), heights.of("c")]).toEqual([60, 80, 70]);
});
