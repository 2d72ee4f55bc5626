/**
 * Where a snapshot outlives the page: IndexedDB where there is one, else memory.
 *
 * Several tabs may keep the same inbox, so a write names the position it expects to replace.
 */

import { type IDBPDatabase, openDB } from "idb";
import type { Snapshot } from "./machine.ts";
import type { Position } from "./protocol.ts";

export interface SnapshotStore {
  read(key: string): Promise<Snapshot | null>;
  /**
   * Write the snapshot if the stored position is still `expected` (null: nothing stored).
   *
   * @returns Null when written; else what another tab has stored, and nothing was written.
   */
  write(key: string, snapshot: Snapshot, expected: Position | null): Promise<Snapshot | null>;
}

/** Opens the browser's store; pages without one (Node, some private windows) keep it in memory. */
export function openStore(): SnapshotStore {
  return "indexedDB" in globalThis ? new BrowserStore() : new MemoryStore();
}

/** Forgets with the page. */
export class MemoryStore implements SnapshotStore {
  readonly #snapshots = new Map<string, Snapshot>();

  async read(key: string): Promise<Snapshot | null> {
    return this.#snapshots.get(key) ?? null;
  }

  async write(
    key: string,
    snapshot: Snapshot,
    expected: Position | null,
  ): Promise<Snapshot | null> {
    const stored = this.#snapshots.get(key) ?? null;
    if (stored && !isSame(stored.position, expected)) return stored;
    this.#snapshots.set(key, snapshot);
    return null;
  }
}

const table = "snapshots";

/** Keeps one record per inbox; read, comparison and write are one transaction. */
export class BrowserStore implements SnapshotStore {
  readonly #database: Promise<IDBPDatabase>;

  constructor(name = "tocsin") {
    this.#database = openDB(name, 1, {
      upgrade: (database) => {
        database.createObjectStore(table);
      },
    });
    this.#database.catch(() => undefined); // told to whoever reads or writes
  }

  async read(key: string): Promise<Snapshot | null> {
    const stored: Snapshot | undefined = await (await this.#database).get(table, key);
    return stored ?? null;
  }

  async write(
    key: string,
    snapshot: Snapshot,
    expected: Position | null,
  ): Promise<Snapshot | null> {
    const transaction = (await this.#database).transaction(table, "readwrite");
    const stored: Snapshot | undefined = await transaction.store.get(key);
    const isOurs = !stored || isSame(stored.position, expected);
    if (isOurs) await transaction.store.put(snapshot, key);
    await transaction.done;
    return isOurs ? null : stored;
  }
}

function isSame(a: Position | null, b: Position | null): boolean {
  return a?.epoch === b?.epoch && a?.rev === b?.rev && a?.brev === b?.brev;
}
