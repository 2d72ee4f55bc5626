/**
 * What the pages of an app and its service worker share in this browser: how this device is known to
 * the server, and what was pressed while no page could tell it. No token is ever kept here.
 */

import type { ServerKey } from "./registry.ts";

/** This browser as a device; there while push is turned on. */
export interface DeviceRecord {
  readonly device: string;
  /** The server's origin and base path; null: the token's URL tells. */
  readonly endpoint: string | null;
  readonly hub: string;
  /** Your backend's address that answers POST with a client token, if a worker may ask it. */
  readonly tokenUrl: string | null;
  /** The server's key that the browser subscribed with. */
  readonly key: ServerKey;
}

/** One press of a notification: the whole of it, or one of its buttons. */
export interface Press {
  /** The item's id; null if there is none to be read. */
  readonly id: string | null;
  readonly alert_id: string;
  readonly action: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** More presses than this are not kept: nobody presses so many without opening a page. */
const mostPresses = 100;
const [devices, presses] = ["devices", "presses"] as const;
const only = "this";

/** Where nothing can be kept (some private windows), nothing is there, and nothing fails. */
export class SharedStore {
  readonly #name: string;
  #database: Promise<IDBDatabase> | null = null;

  constructor(name = "tocsin-push") {
    this.#name = name;
  }

  device(): Promise<DeviceRecord | null> {
    return this.#in<DeviceRecord | null>(devices, null, async (store) => {
      return (await resultOf<DeviceRecord | undefined>(store.get(only))) ?? null;
    });
  }

  async keepDevice(record: DeviceRecord): Promise<void> {
    await this.#in<unknown>(devices, null, (store) => resultOf(store.put(record, only)));
  }

  /** Forget the device, and what was pressed. */
  async forget(): Promise<void> {
    await this.#in(devices, undefined, (store) => resultOf(store.delete(only)));
    await this.takePresses();
  }

  async addPress(press: Press): Promise<void> {
    await this.#in<unknown>(presses, null, async (store) => {
      if ((await resultOf(store.count())) < mostPresses) await resultOf(store.add(press));
    });
  }

  /** Take what was pressed out of the store; of several pages that ask, one gets it. */
  takePresses(): Promise<readonly Press[]> {
    return this.#in<readonly Press[]>(presses, [], async (store) => {
      const taken = await resultOf<Press[]>(store.getAll());
      await resultOf(store.clear());
      return taken;
    });
  }

  /** Do `work` in one transaction; `otherwise` where that is not possible. */
  async #in<Result>(
    table: string,
    otherwise: Result,
    work: (store: IDBObjectStore) => Promise<Result>,
  ): Promise<Result> {
    try {
      this.#database ??= open(this.#name);
      return await work((await this.#database).transaction(table, "readwrite").objectStore(table));
    } catch {
      return otherwise;
    }
  }
}

async function open(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(devices);
    opening.result.createObjectStore(presses, { autoIncrement: true });
  };
  return resultOf(opening);
}

function resultOf<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
