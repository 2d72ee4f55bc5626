/**
 * Where a snapshot outlives the page: IndexedDB where there is one, else memory.
 *
 * Several tabs may keep the same inbox, so a write names the position it expects to replace.
 */

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
  /** Forget what is stored of this inbox. */
  remove(key: string): Promise<void>;
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

  async remove(key: string): Promise<void> {
    this.#snapshots.delete(key);
  }
}

const table = "snapshots";

/** Keeps one record per inbox; read, comparison and write are one transaction. */
export class BrowserStore implements SnapshotStore {
  readonly #database: Promise<IDBDatabase>;

  constructor(name = "tocsin") {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(table);
    this.#database = resultOf(opening);
    this.#database.catch(() => undefined); // told to whoever reads or writes
  }

  async read(key: string): Promise<Snapshot | null> {
    const snapshots = (await this.#database).transaction(table).objectStore(table);
    return (await resultOf<Snapshot | undefined>(snapshots.get(key))) ?? null;
  }

  async write(
    key: string,
    snapshot: Snapshot,
    expected: Position | null,
  ): Promise<Snapshot | null> {
    const transaction = (await this.#database).transaction(table, "readwrite");
    const snapshots = transaction.objectStore(table);
    const stored = await resultOf<Snapshot | undefined>(snapshots.get(key));
    const isOurs = !stored || isSame(stored.position, expected);
    if (isOurs) snapshots.put(snapshot, key);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return isOurs ? null : stored;
  }

  async remove(key: string): Promise<void> {
    const transaction = (await this.#database).transaction(table, "readwrite");
    await resultOf(transaction.objectStore(table).delete(key));
  }
}

function resultOf<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function isSame(a: Position | null, b: Position | null): boolean {
  return a?.epoch === b?.epoch && a?.rev === b?.rev && a?.brev === b?.brev;
}
