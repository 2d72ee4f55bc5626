/** Keeps one inbox for the next visit: bounded, and written together with what follows at once. */

import type { PersistEffect, Snapshot } from "./machine.ts";
import type { SnapshotStore } from "./store.ts";

/** An action is written soon, since the page may be left; what the server has can wait. */
const actionsAfterMs = 50;
const restAfterMs = 1_000;
/** A visit does not begin later than this for a store that is slow: on a busy device, or while the browser updates it. */
const readWithinMs = 1_000;
/** Own items kept; what is older is read again when somebody pages down. */
const mostItems = 200;

/** Writes the last of several snapshots, with the `expected` of the first. */
export class Saving {
  readonly #store: SnapshotStore;
  readonly #key: string;
  readonly #onConflict: (stored: Snapshot) => void;
  #waiting: PersistEffect | null = null;
  #saved: Snapshot | null = null;
  #dueAt = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing = Promise.resolve();
  #isOver = false;

  constructor(store: SnapshotStore, key: string, onConflict: (stored: Snapshot) => void) {
    this.#store = store;
    this.#key = key;
    this.#onConflict = onConflict;
  }

  /** Tell what an earlier visit left, null also when the store cannot be read; resolve then, or when that takes too long. */
  read(onRead: (stored: Snapshot | null) => void): Promise<unknown> {
    return new Promise((resolve) => {
      setTimeout(resolve, readWithinMs);
      this.#store
        .read(this.#key)
        .catch(() => null)
        .then((stored) => resolve(this.#isOver || onRead(stored)));
    });
  }

  save(effect: PersistEffect): void {
    if (this.#isOver) return;
    const isAction = effect.snapshot.queue !== (this.#waiting?.snapshot ?? this.#saved)?.queue;
    this.#waiting = { ...effect, expected: (this.#waiting ?? effect).expected };
    const dueAt = Date.now() + (isAction ? actionsAfterMs : restAfterMs);
    if (dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), dueAt - Date.now());
  }

  /** Write what waits now. A store that fails (full, private window) costs the next visit a full read. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** Write nothing more, and forget what is stored. */
  async forget(): Promise<void> {
    this.#isOver = true;
    this.#waiting = null;
    await this.#writing;
    await this.#store.remove(this.#key).catch(() => null);
  }

  async #write(): Promise<void> {
    const effect = this.#waiting;
    if (!effect) return;
    this.#waiting = null;
    this.#saved = effect.snapshot;
    const stored = await this.#store
      .write(this.#key, bounded(effect.snapshot), effect.expected)
      .catch(() => null);
    if (stored) this.#onConflict(stored);
  }
}

function bounded(snapshot: Snapshot): Snapshot {
  if (snapshot.items.length <= mostItems) return snapshot;
  const items = [...snapshot.items].sort((a, b) => b.sort - a.sort).slice(0, mostItems);
  return { ...snapshot, items, end: items.at(-1)?.sort ?? null };
}
