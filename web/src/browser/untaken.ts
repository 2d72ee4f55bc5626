/**
 * What people did in tabs that follow, until the tab that leads has it.
 *
 * The tab that leads may hang, and the one where it was done may end before another one leads. So each action is kept in
 * `localStorage`, which is written before the page can end, and the next tab to lead takes it. One that was sent all
 * the same is sent again under its op-id, which changes nothing.
 */

import type { Operation } from "../core/machine.ts";

export class Untaken {
  readonly #prefix: string;
  readonly #storage: () => Storage;

  /** @param storage Throws where a browser keeps nothing; then nothing is kept. */
  constructor(name: string, storage: () => Storage) {
    this.#prefix = `${name} untaken `;
    this.#storage = storage;
  }

  keep(operation: Operation): void {
    this.#with((storage) => storage.setItem(this.#keyOf(operation), JSON.stringify(operation)));
  }

  /** The tab that leads has these. */
  drop(operations: readonly Operation[]): void {
    this.#with((storage) => {
      for (const operation of operations) storage.removeItem(this.#keyOf(operation));
    });
  }

  /** All there are, oldest first; they stay until they are dropped. */
  all(): Operation[] {
    const found: Operation[] = [];
    this.#with((storage) => {
      for (const key of this.#keys(storage)) found.push(JSON.parse(storage.getItem(key) ?? ""));
    });
    return found.sort((a, b) => a.at - b.at);
  }

  /** Nobody of this name is here any more. */
  forget(): void {
    this.#with((storage) => {
      for (const key of this.#keys(storage)) storage.removeItem(key);
    });
  }

  #keys(storage: Storage): string[] {
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
    return keys.filter((key) => key.startsWith(this.#prefix));
  }

  #keyOf({ op_id }: Operation): string {
    return `${this.#prefix}${op_id}`;
  }

  /** A storage that is full, or not there, keeps nothing: then an action is lost with its tab. */
  #with(job: (storage: Storage) => void): void {
    try {
      job(this.#storage());
    } catch {}
  }
}
