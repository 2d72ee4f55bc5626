import { expect, test } from "vitest";
import type { View, ViewItem } from "../src/core/index.ts";
import type { NotificationData } from "../src/push/notification-data.ts";
import { isDone } from "../src/push/shown.ts";

const noon = Date.UTC(2026, 10, 22, 12);

/** An alert's id of that time: a UUID of version 7. */
function idAt(ms: number): string {
  const hex = ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

function view(change: Partial<View> = {}): View {
  return {
    items: [],
    counts: { unseen: 0, unread: 0 },
    position: { epoch: "e", rev: 1, brev: 0 },
    end: null,
    complete: true,
    synced: true,
    pending: 0,
    as_of: noon + 60_000,
    ...change,
  };
}

function shownAt(at: number, alert_id: string): NotificationData {
  return { tocsin: 1, id: alert_id, alert_id, url: null, links: {}, at };
}

const note = shownAt(noon, idAt(noon));

test("an item that is there decides by whether it was seen", () => {
  const item = { id: note.id, alert_id: note.alert_id, seen: false } as ViewItem;
  expect(isDone(note, view({ items: [item] }))).toBe(false);
  expect(isDone(note, view({ items: [{ ...item, seen: true }] }))).toBe(true);
});

test("what is gone from a complete view is done", () => {
  expect(isDone(note, view())).toBe(true);
});

test("what may still be on its way is not", () => {
  expect(isDone(note, view({ synced: false }))).toBe(false);
  expect(isDone(note, view({ as_of: noon - 1 }))).toBe(false);
  expect(isDone(note, view({ as_of: null }))).toBe(false);
});

test("what may be on an older page is not, and what would be on this one is", () => {
  const older = { complete: false, end: (noon + 1) * 1_000 };
  const newer = { complete: false, end: (noon - 1) * 1_000 };
  expect(isDone(note, view(older))).toBe(false);
  expect(isDone(note, view(newer))).toBe(true);
});

test("a test, of which no inbox knows, stays until the person closes it", () => {
  expect(isDone({ ...note, id: null }, view())).toBe(false);
});

test("a summary goes with the newest of its alerts", () => {
  const item = { id: "i", alert_id: note.alert_id, seen: true } as ViewItem;
  expect(isDone({ ...note, id: null }, view({ items: [item] }))).toBe(true);
});
