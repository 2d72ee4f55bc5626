import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readingTimeMs, ToastQueue } from "../src/elements/toasts/toast-queue.ts";
import { alertOf, own } from "./fixtures.ts";

const changed = vi.fn();
let queue: ToastQueue;

beforeEach(() => {
  vi.useFakeTimers();
  queue = new ToastQueue(changed, () => 3);
});

afterEach(() => {
  vi.useRealTimers();
});

function shown(): string[] {
  return queue.items.map((item) => item.alert_id);
}

function critical(id: string) {
  return own(id, 1, { alert: alertOf(id, { severity: "critical" }) });
}

test("a toast stays as long as it takes to read it", () => {
  const long = own("long", 1, { alert: alertOf("long", { body: "word ".repeat(20) }) });
  queue.add([own("short", 1), long]);
  vi.advanceTimersByTime(5_000);
  expect(shown()).toEqual(["long"]);
  vi.advanceTimersByTime(5_000);
  expect(shown()).toEqual([]);
  expect(readingTimeMs(own("x", 1, { alert: alertOf("x".repeat(10_000)) }))).toBe(12_000);
});

/** One after the other, too slow for a burst. */
function addSlowly(...ids: string[]): void {
  for (const id of ids) {
    queue.add([own(id, 1)]);
    vi.advanceTimersByTime(500);
  }
}

test("three are up, the others are counted until none is", () => {
  addSlowly("a", "b", "c", "d", "e");
  expect([shown(), queue.folded.length, queue.isBurst]).toEqual([["c", "d", "e"], 2, false]);
  vi.advanceTimersByTime(20_000);
  expect([shown(), queue.folded.length]).toEqual([[], 0]);
});

test("a burst has one summary, which counts on, and has its own time", () => {
  queue.add(["a", "b", "c"].map((id) => own(id, 1)));
  expect(queue.isBurst).toBe(false);
  queue.add([own("d", 1), critical("fire")]);
  expect([shown(), queue.folded.length, queue.isBurst]).toEqual([["fire"], 4, true]);
  vi.advanceTimersByTime(7_000);
  queue.add([own("e", 1)]);
  vi.advanceTimersByTime(7_000);
  expect([shown(), queue.folded.length]).toEqual([["fire"], 5]);
  vi.advanceTimersByTime(2_000);
  expect([shown(), queue.folded.length, queue.isBurst]).toEqual([["fire"], 0, false]);
});

test("a summary counts what is left unread, and goes with the last of it", () => {
  queue.add(["a", "b", "c", "d"].map((id) => own(id, 1)));
  queue.dismiss(({ alert_id }) => alert_id !== "d");
  expect([queue.folded.length, queue.isBurst]).toEqual([1, true]);
  queue.dismiss(() => true);
  expect([queue.folded.length, queue.isBurst]).toEqual([0, false]);
});

test("one that needs a decision waits long, and is pushed away after all others", () => {
  const actions = [{ id: "yes", label: "Yes" }];
  queue.add([own("ask", 1, { alert: alertOf("Deploy?", { actions }) })]);
  vi.advanceTimersByTime(5_000);
  addSlowly("a", "b", "c");
  expect(shown()).toEqual(["ask", "b", "c"]);
  vi.advanceTimersByTime(100_000);
  expect(shown()).toEqual(["ask"]);
  vi.advanceTimersByTime(20_000);
  expect(shown()).toEqual([]);
});

test("a critical one stays until it is closed, and is not pushed away", () => {
  queue.add([critical("fire")]);
  addSlowly("a", "b", "c");
  expect(shown()).toEqual(["fire", "b", "c"]);
  vi.advanceTimersByTime(60_000);
  expect(shown()).toEqual(["fire"]);
  queue.dismiss((item) => item.alert_id === "fire");
  expect(shown()).toEqual([]);
});

test("no time passes while somebody points at one or nobody can see them", () => {
  queue.add([own("a", 1)]);
  vi.advanceTimersByTime(3_000);
  queue.hold("pointer");
  queue.hold("hidden");
  vi.advanceTimersByTime(60_000);
  queue.release("pointer");
  vi.advanceTimersByTime(60_000);
  expect(shown()).toEqual(["a"]);
  queue.release("hidden");
  vi.advanceTimersByTime(900);
  expect(shown()).toEqual(["a"]);
  vi.advanceTimersByTime(200);
  expect(shown()).toEqual([]);
});

test("one that comes later has its own time", () => {
  queue.add([own("a", 1)]);
  vi.advanceTimersByTime(3_000);
  queue.add([own("b", 1)]);
  vi.advanceTimersByTime(1_100);
  expect(shown()).toEqual(["b"]);
  vi.advanceTimersByTime(3_000);
  expect(shown()).toEqual([]);
});
