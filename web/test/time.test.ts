import { expect, test } from "vitest";
import { clockTime, exactTime, relativeTime } from "../src/core/time.ts";

const now = new Date(2026, 10, 25, 16, 30).getTime();
const minutesAgo = (minutes: number) => now - minutes * 60_000;

test.each([
  [minutesAgo(-5), "now"],
  [minutesAgo(0.5), "now"],
  [minutesAgo(2), "2 min"],
  [minutesAgo(59.9), "59 min"],
  [minutesAgo(60), "1 h"],
  [minutesAgo(16 * 60), "16 h"],
  [new Date(2026, 10, 24, 23, 59).getTime(), "yesterday 23:59"],
  [new Date(2026, 10, 24, 14, 5).getTime(), "yesterday 14:05"],
  [new Date(2026, 10, 22, 9, 0).getTime(), "Sun 09:00"],
  [new Date(2026, 2, 12).getTime(), "12 Mar"],
  [new Date(2025, 2, 12).getTime(), "12 Mar 2025"],
])("%i is said as %s", (time, said) => {
  expect(
    relativeTime(time, now, "en-GB")
      .replace(/mins?\b/, "min")
      .replace(/hrs?\b/, "h")
      .replace(",", ""),
  ).toBe(said);
});

test("the exact time has the date and the seconds", () => {
  const said = exactTime(now, "en-GB");
  expect(said).toContain("25 November 2026");
  expect(said).toContain("16:30:00");
});

test("a time of today is said by the clock, an older one with its day", () => {
  expect(clockTime(minutesAgo(3), now, "en-GB")).toBe("16:27");
  expect(clockTime(minutesAgo(24 * 60), now, "en-GB")).toContain("24 Nov");
});
