/**
 * Push in an app's own service worker: shows what comes, follows what is pressed, keeps the
 * subscription alive. It holds no inbox and remembers nothing but what `SharedStore` keeps.
 */

import { Requests } from "../core/driver.ts";
import { Credentials, providerOf, type TokenProvider } from "../core/tokens.ts";
import { readData } from "../push/notification-data.ts";
import { sendPresses } from "../push/presses.ts";
import { putDevice } from "../push/registry.ts";
import { type DeviceRecord, SharedStore } from "../push/shared-store.ts";
import type { Open } from "../push/worker-messages.ts";
import { openTarget, tellPages } from "./pages.ts";
import { readPush } from "./payload.ts";
import type {
  NotificationEvent,
  PushEvent,
  SubscriptionChangeEvent,
  WaitingEvent,
  WorkerScope,
} from "./scope.ts";

export interface PushWorkerOptions {
  /**
   * Gets a client token where no page is open. Default: the `token-url` that the page named; a page
   * without one is waited for.
   */
  readonly tokenProvider?: TokenProvider | undefined;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch | undefined;
  readonly store?: SharedStore | undefined;
}

const deadlineMs = 10_000;

export class PushWorker {
  readonly #scope: WorkerScope;
  readonly #store: SharedStore;
  readonly #options: PushWorkerOptions;

  constructor(scope: WorkerScope, options: PushWorkerOptions = {}) {
    this.#scope = scope;
    this.#store = options.store ?? new SharedStore();
    this.#options = options;
  }

  /** Take up the worker's events. Call it while the worker's script runs, or events are missed. */
  listen(): void {
    const serve =
      <Event extends WaitingEvent>(work: (event: Event) => Promise<void>) =>
      (event: Event) =>
        event.waitUntil(work(event));
    this.#scope.addEventListener(
      "push",
      serve<PushEvent>((event) => this.#show(event)),
    );
    this.#scope.addEventListener(
      "notificationclick",
      serve<NotificationEvent>((event) => this.#press(event)),
    );
    this.#scope.addEventListener(
      "pushsubscriptionchange",
      serve<SubscriptionChangeEvent>((event) => this.#renew(event)),
    );
  }

  /**
   * Show something for every push, also while a page is open: browsers end the subscription of who
   * does not, and a page that looks visible may be asleep. The page closes what it has shown itself.
   */
  async #show(event: PushEvent): Promise<void> {
    const { registration, navigator } = this.#scope;
    const { title, options, badge } = readPush(textOf(event), Date.now());
    const { tag, data } = options;
    await registration
      .showNotification(title, options)
      .catch(() => registration.showNotification(title, { tag, data }));
    if (badge !== null) await setBadge(navigator, badge);
    await tellPages(this.#scope, { tocsin: "pushed", alert_id: data.alert_id, at: data.at });
  }

  async #press(event: NotificationEvent): Promise<void> {
    const kept = readData(event.notification.data);
    if (!kept) return; // the app's own notification
    event.notification.close();
    const action = event.action || null;
    const { id, alert_id } = kept;
    const press = { id, alert_id, action, at: Date.now() };
    const url = action ? (kept.links[action] ?? null) : kept.url;
    const opening = !action || url ? this.#open({ tocsin: "open", alert_id, url }) : undefined;
    await Promise.all([this.#store.addPress(press), opening]);
    const pages = await tellPages(this.#scope, { tocsin: "pressed" });
    if (pages === 0) await this.#tellPresses().catch(() => undefined);
  }

  async #open(message: Open): Promise<void> {
    await openTarget(this.#scope, message).catch(() => undefined); // browsers may forbid either
  }

  /** Without a page the worker tells the server itself, if it may; else the next page does. */
  async #tellPresses(): Promise<void> {
    const record = await this.#store.device();
    const requests = record && this.#requests(record);
    if (!requests) return;
    const presses = await this.#store.takePresses();
    try {
      await sendPresses(requests, presses);
    } catch {
      for (const press of presses) await this.#store.addPress(press);
    }
  }

  /** The browser took the subscription away, or gave another one: the server has to know. */
  async #renew({ newSubscription }: SubscriptionChangeEvent): Promise<void> {
    const record = await this.#store.device();
    if (!record) return; // push is turned off here
    const subscription =
      newSubscription ??
      (await this.#scope.registration.pushManager.subscribe({
        userVisibleOnly: true,
        applicationServerKey: record.key.publicKey,
      }));
    const requests = this.#requests(record);
    await (requests && putDevice(requests, record.device, subscription, record.key.id));
    await tellPages(this.#scope, { tocsin: "renewed" });
  }

  #requests(record: DeviceRecord): Requests | null {
    const { tokenUrl, endpoint, hub, device } = record;
    const { tokenProvider } = this.#options;
    if (!tokenProvider && !tokenUrl) return null;
    const fetcher = this.#options.fetch ?? ((...call) => fetch(...call));
    const credentials = new Credentials(
      providerOf({ tokenProvider, tokenUrl: tokenUrl ?? undefined }),
      endpoint ?? undefined,
      hub,
    );
    return new Requests(credentials, fetcher, deadlineMs, device);
  }
}

/** The payload; null where there is none, or none that is text. */
function textOf({ data }: PushEvent): string | null {
  try {
    return data?.text() ?? null;
  } catch {
    return null;
  }
}

/** Only installed apps have a badge, and not every browser. */
async function setBadge(navigator: WorkerScope["navigator"], count: number): Promise<void> {
  await navigator.setAppBadge?.(count).catch(() => undefined);
}
