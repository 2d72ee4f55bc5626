/** A store that forgets with the page: for tests, and where another page must not find anything. */

import type { Snapshot } from "../core/machine.ts";
import { isSame, type Position } from "../core/protocol.ts";
import type { SnapshotStore } from "../core/store.ts";

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
