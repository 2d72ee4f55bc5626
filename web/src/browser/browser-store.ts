/** Keeps inboxes in IndexedDB. */

import type { Snapshot } from "../core/machine.ts";
import { isSame, type Position } from "../core/protocol.ts";
import type { SnapshotStore } from "../core/store.ts";

const table = "snapshots";
/** Of the snapshot's shape: what another version of this code wrote is dropped, and a newer one is left alone. */
const version = 2;

/** Keeps one record per inbox; read, comparison and write are one transaction. */
export class BrowserStore implements SnapshotStore {
  readonly #name: string;
  #opened: Promise<IDBDatabase> | null = null;

  constructor(name = "tocsin") {
    this.#name = name;
  }

  get #database(): Promise<IDBDatabase> {
    this.#opened ??= open(this.#name);
    return this.#opened;
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

/** @throws Where there is no IndexedDB (Node), or it may not be used (some private windows). */
async function open(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, version);
  opening.onupgradeneeded = () => {
    const database = opening.result;
    if (database.objectStoreNames.contains(table)) database.deleteObjectStore(table);
    database.createObjectStore(table);
  };
  const database = await resultOf(opening);
  database.onversionchange = () => database.close(); // a newer page waits for it
  return database;
}

function resultOf<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
