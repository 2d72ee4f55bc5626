/** The world of a service worker, as far as push needs it: what it shows, and the windows it sees. */

import "fake-indexeddb/auto";
import type { NotificationData } from "../src/push/notification-data.ts";
import { SharedStore } from "../src/push/shared-store.ts";
import { PushWorker, type PushWorkerOptions } from "../src/worker/push-worker.ts";
import type { ShowOptions, WindowClient, WorkerScope } from "../src/worker/scope.ts";

export interface ShownNote {
  readonly title: string;
  readonly options: ShowOptions;
}

type Listener = (event: unknown) => void;

/** An open window; `answers` says whether its page takes what the worker offers. */
export class FakeWindow implements WindowClient {
  readonly heard: unknown[] = [];
  readonly url: string;
  readonly frameType = "top-level";
  focused = false;
  visibilityState: DocumentVisibilityState = "visible";
  wasFocused = false;
  mayFocus = true;
  answers = true;

  constructor(url: string) {
    this.url = url;
  }

  async focus(): Promise<void> {
    if (!this.mayFocus) throw new DOMException("not by a press", "InvalidAccessError");
    this.wasFocused = true;
  }

  postMessage(message: unknown, [port]: readonly MessagePort[] = []): void {
    this.heard.push(message);
    if (this.answers) port?.postMessage("taken");
  }

  kinds(): unknown[] {
    return this.heard.map((message) => (message as { tocsin: string }).tocsin);
  }
}

let stores = 0;

export class FakeWorker {
  readonly shown: ShownNote[] = [];
  readonly opened: string[] = [];
  readonly badges: number[] = [];
  readonly requests: { method: string; path: string; body: unknown }[] = [];
  readonly subscribedWith: unknown[] = [];
  readonly store: SharedStore;
  windows: FakeWindow[] = [];
  refusesDetails = false;
  status = 200;
  readonly #listeners = new Map<string, Listener>();

  constructor(options: PushWorkerOptions = {}) {
    stores += 1;
    this.store = new SharedStore(`test-${stores}`);
    new PushWorker(this.#scope(), {
      store: this.store,
      fetch: async (input, init) => this.#answer(String(input), init ?? {}),
      ...options,
    }).listen();
  }

  push(payload: unknown): Promise<void> {
    const data = payload === null ? null : { text: () => textOf(payload) };
    return this.#raise("push", { data });
  }

  /** Press the notification shown last, or one of its buttons. */
  async press(action = ""): Promise<boolean> {
    let isClosed = false;
    const { options } = this.shown.at(-1) as ShownNote;
    const close = () => {
      isClosed = true;
    };
    const notification = { data: options.data as NotificationData, tag: options.tag, close };
    await this.#raise("notificationclick", { notification, action });
    return isClosed;
  }

  renew(event: { newSubscription?: unknown }): Promise<void> {
    return this.#raise("pushsubscriptionchange", event);
  }

  async #raise(name: string, event: object): Promise<void> {
    const work: Promise<unknown>[] = [];
    const waitUntil = (promise: Promise<unknown>) => work.push(promise);
    this.#listeners.get(name)?.({ ...event, waitUntil });
    await Promise.all(work);
  }

  #scope(): WorkerScope {
    return {
      registration: {
        scope: "https://app.test/",
        pushManager: {
          subscribe: async (options) => {
            this.subscribedWith.push(options?.applicationServerKey);
            return subscriptionAt("https://push.test/fresh");
          },
        },
        showNotification: async (title, options = {}) => {
          if (this.refusesDetails && "body" in options) throw new TypeError("no");
          this.shown.push({ title, options });
        },
      },
      clients: {
        matchAll: async () => this.windows,
        openWindow: async (url) => this.opened.push(url),
      },
      navigator: {
        setAppBadge: async (count = 0) => void this.badges.push(count),
        clearAppBadge: async () => void this.badges.push(0),
      },
      addEventListener: (name, listener) => this.#listeners.set(name, listener as Listener),
    };
  }

  async #answer(url: string, init: RequestInit): Promise<Response> {
    const body = typeof init.body === "string" ? JSON.parse(init.body) : null;
    this.requests.push({ method: init.method ?? "GET", path: new URL(url).pathname, body });
    return new Response("{}", { status: this.status });
  }
}

export function subscriptionAt(endpoint: string): PushSubscription {
  return {
    endpoint,
    options: { applicationServerKey: null, userVisibleOnly: true },
    toJSON: () => ({ endpoint, keys: { p256dh: "p", auth: "a" } }),
  } as unknown as PushSubscription;
}

function textOf(payload: unknown): string {
  return typeof payload === "string" ? payload : JSON.stringify(payload);
}
