/** A browser that can be pushed to: its permission, its subscription, and what it shows. */

import { vi } from "vitest";
import type { NotificationData } from "../src/push/notification-data.ts";

/** The bytes 4, 5, 6 and 7, 8, 9 as servers write them. */
export const [firstKey, secondKey] = ["BAUG", "BwgJ"] as const;

export class FakeNotification {
  readonly data: unknown;
  readonly tag: string;
  isClosed = false;

  constructor(data: Partial<NotificationData> | null, tag = "") {
    this.data = data;
    this.tag = tag;
  }

  close(): void {
    this.isClosed = true;
  }
}

export class FakeBrowser {
  permission: NotificationPermission = "default";
  /** What the person says when asked. */
  answer: NotificationPermission = "granted";
  asked = 0;
  subscribed: PushSubscription | null = null;
  unsubscribed = 0;
  isServiceUp = true;
  notifications: FakeNotification[] = [];
  registered: string[] = [];
  readonly badges: number[] = [];
  readonly permissionStatus = new EventTarget();
  readonly #container = new EventTarget();
  readonly #registration = {
    pushManager: {
      getSubscription: async () => this.subscribed,
      subscribe: async (options: PushSubscriptionOptionsInit) => this.#subscribe(options),
    },
    getNotifications: async () => this.notifications.filter(({ isClosed }) => !isClosed),
  };

  /** Put it in the place of the page's own; `vi.unstubAllGlobals` takes it away. */
  install(): void {
    Object.assign(this.#container, {
      startMessages: () => undefined,
      ready: Promise.resolve(this.#registration),
      getRegistration: async () => this.#registration,
      register: async (address: string) => {
        this.registered.push(address);
        return this.#registration;
      },
    });
    const browser = this;
    vi.stubGlobal("isSecureContext", true);
    vi.stubGlobal("PushManager", class {});
    vi.stubGlobal("Notification", {
      get permission() {
        return browser.permission;
      },
      requestPermission: async () => {
        this.asked += 1;
        this.permission = this.answer;
        return this.permission;
      },
    });
    vi.stubGlobal("navigator", {
      userAgent: "Test",
      language: "en-GB",
      maxTouchPoints: 0,
      serviceWorker: this.#container,
      permissions: { query: async () => this.permissionStatus },
      setAppBadge: async (count: number) => void this.badges.push(count),
      clearAppBadge: async () => void this.badges.push(0),
    });
  }

  /** The worker says something to the page. */
  say(message: object, ports: readonly { postMessage(data: unknown): void }[] = []): void {
    const event = new Event("message");
    this.#container.dispatchEvent(Object.assign(event, { data: message, ports }));
  }

  #subscribe({ applicationServerKey }: PushSubscriptionOptionsInit): PushSubscription {
    if (!this.isServiceUp) throw new DOMException("push service error", "AbortError");
    const endpoint = `https://push.test/${applicationServerKey}`;
    this.subscribed = {
      endpoint,
      options: { applicationServerKey: bytesOf(String(applicationServerKey)) },
      toJSON: () => ({ endpoint, keys: { p256dh: "p", auth: "a" } }),
      unsubscribe: async () => {
        this.subscribed = null;
        this.unsubscribed += 1;
        return true;
      },
    } as unknown as PushSubscription;
    return this.subscribed;
  }
}

function bytesOf(key: string): ArrayBuffer {
  return Uint8Array.from(atob(key), (character) => character.charCodeAt(0)).buffer;
}
