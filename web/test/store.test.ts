import "fake-indexeddb/auto";
import { describe, expect, test } from "vitest";
import { BrowserStore } from "../src/browser/browser-store.ts";
import { MemoryStore } from "../src/browser/memory-store.ts";
import type { Snapshot } from "../src/core/machine.ts";
import type { SnapshotStore } from "../src/core/store.ts";
import { at, watermarks } from "./fixtures.ts";

function snapshot(rev: number): Snapshot {
  return {
    position: at(rev),
    items: [],
    end: null,
    broadcasts: [],
    states: [],
    watermarks,
    counts: { unseen: 0, unread: 0 },
    queue: [],
    as_of: null,
  };
}

describe.each([
  ["memory", () => new MemoryStore()],
  ["browser", () => new BrowserStore(`test-${Math.random()}`)],
] as [string, () => SnapshotStore][])("the %s store", (_name, open) => {
  test("gives back what was written, per inbox", async () => {
    const store = open();
    expect(await store.read("ada")).toBeNull();
    expect(await store.write("ada", snapshot(1), null)).toBeNull();
    expect(await store.read("ada")).toEqual(snapshot(1));
    expect(await store.read("ben")).toBeNull();
  });

  test("writes only over the position that was expected", async () => {
    const store = open();
    await store.write("ada", snapshot(1), null);
    expect(await store.write("ada", snapshot(2), at(1))).toBeNull();
    expect(await store.write("ada", snapshot(3), at(1))).toEqual(snapshot(2));
    expect(await store.write("ada", snapshot(3), null)).toEqual(snapshot(2));
    expect(await store.read("ada")).toEqual(snapshot(2));
  });
});
