// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Sightings } from "../src/elements/sightings.ts";

let told: string[] = [];
let sightings: Sightings;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  sightings = new Sightings((alertId, fact) => told.push(`${fact} ${alertId}`));
});

afterEach(() => {
  sightings.look([]);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("what is drawn is shown at once, and seen after a second on view", () => {
  sightings.look(["a"]);
  expect(told).toEqual(["shown a"]);
  vi.advanceTimersByTime(999);
  expect(told).toEqual(["shown a"]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(["shown a", "seen a"]);
});

test("what goes before the second is over was not seen", () => {
  sightings.look(["a", "b"]);
  vi.advanceTimersByTime(500);
  sightings.look(["b"]);
  vi.advanceTimersByTime(500);
  expect(told).toEqual(["shown a", "shown b", "seen b"]);
});

test("on a hidden page nothing is shown", () => {
  const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  sightings.look(["a"]);
  expect(told).toEqual([]);
  visibility.mockReturnValue("visible");
  sightings.look(["a"]);
  expect(told).toEqual(["shown a"]);
});
