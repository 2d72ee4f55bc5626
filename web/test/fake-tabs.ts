/** One browser with several tabs: its Web Locks and its channels, where a tab can be killed. */

import type { Platform } from "../src/browser/tabs.ts";

interface Waiting {
  readonly tab: number;
  readonly grant: () => void;
}

interface Holding {
  readonly tab: number;
  /** The lock is taken away: by force, or because its tab is dead. */
  readonly lose: () => void;
}

/** A lock of the browser; the first who waits gets it. */
class FakeLock {
  holder: Holding | null = null;
  waiting: Waiting[] = [];

  release(holder: Holding): void {
    if (this.holder !== holder) return;
    this.holder = null;
    this.waiting.shift()?.grant();
  }
}

/** What the tabs of a browser keep, beyond their ends. */
class FakeStorage extends Map<string, string> {
  get length(): number {
    return this.size;
  }

  readonly key = (index: number) => [...this.keys()][index] ?? null;
  readonly getItem = (key: string) => this.get(key) ?? null;
  readonly setItem = (key: string, text: string) => this.set(key, text);
  readonly removeItem = (key: string) => this.delete(key);
}

export class FakeBrowser {
  readonly #locks = new Map<string, FakeLock>();
  readonly #channels = new Set<FakeChannel>();
  readonly #frozen = new Map<number, (() => void)[]>();
  readonly storage = new FakeStorage() as unknown as Storage;
  #tabs = 0;
  #granting = Promise.resolve();

  /** Grant no lock that a tab opened from now on asks for, until the function that this returns is called. */
  delayLocks(): () => void {
    let grant = () => {};
    this.#granting = new Promise((resolve) => {
      grant = resolve;
    });
    return grant;
  }

  /** Open a tab; `kill` ends it without a word, as a crash does. */
  openTab(): Platform & { kill(): void } {
    this.#tabs += 1;
    const tab = this.#tabs;
    const granting = this.#granting;
    return {
      locks: {
        request: (...call: unknown[]) => granting.then(() => this.#request(tab, call)),
      } as unknown as LockManager,
      openChannel: (name) => {
        const channel = new FakeChannel(tab, name, this.#channels, this.#frozen);
        this.#channels.add(channel);
        return channel as unknown as BroadcastChannel;
      },
      storage: () => this.storage,
      kill: () => this.#kill(tab),
    };
  }

  /** A tab runs no more, for now: it keeps its locks, and hears what was said meanwhile when it thaws. */
  freeze(tab: number): void {
    this.#frozen.set(tab, []);
  }

  thaw(tab: number): void {
    const missed = this.#frozen.get(tab) ?? [];
    this.#frozen.delete(tab);
    for (const hear of missed) hear();
  }

  #kill(tab: number): void {
    for (const channel of [...this.#channels]) if (channel.tab === tab) channel.close();
    for (const lock of this.#locks.values()) {
      lock.waiting = lock.waiting.filter((one) => one.tab !== tab);
      if (lock.holder?.tab === tab) lock.release(lock.holder);
    }
  }

  #request(tab: number, call: unknown[]): Promise<unknown> {
    const [name, options, work] = call as [string, LockOptions, () => Promise<unknown>];
    const lock = this.#locks.get(name) ?? new FakeLock();
    this.#locks.set(name, lock);
    return new Promise((resolve, reject) => {
      const holder: Holding = { tab, lose: () => reject(new DOMException("stolen", "AbortError")) };
      const grant = () => {
        lock.holder = holder;
        queueMicrotask(() => {
          if (lock.holder === holder)
            work()
              .then(resolve, reject)
              .finally(() => lock.release(holder));
        });
      };
      options.signal?.addEventListener("abort", () => {
        lock.waiting = lock.waiting.filter((one) => one.grant !== grant);
        if (lock.holder !== holder) reject(new DOMException("left", "AbortError"));
      });
      if (options.steal) {
        lock.holder?.lose();
        grant();
      } else if (lock.holder) lock.waiting.push({ tab, grant });
      else grant();
    });
  }
}

class FakeChannel {
  readonly tab: number;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly #name: string;
  readonly #all: Set<FakeChannel>;
  readonly #frozen: Map<number, (() => void)[]>;

  constructor(
    tab: number,
    name: string,
    all: Set<FakeChannel>,
    frozen: Map<number, (() => void)[]>,
  ) {
    this.#frozen = frozen;
    this.tab = tab;
    this.#name = name;
    this.#all = all;
  }

  postMessage(message: unknown): void {
    const data = structuredClone(message);
    for (const other of this.#all) {
      if (other === this || other.#name !== this.#name) continue;
      const hear = () => this.#all.has(other) && other.onmessage?.({ data });
      queueMicrotask(() => this.#frozen.get(other.tab)?.push(hear) ?? hear());
    }
  }

  close(): void {
    this.#all.delete(this);
  }
}
