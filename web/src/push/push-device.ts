/**
 * This browser as a device that gets pushes: turned on and off by the person, kept registered with the
 * server, and never louder than the inbox. It draws nothing; `<tocsin-push>` does.
 */

import type { TocsinClient } from "../core/index.ts";
import { showBadge } from "./app-badge.ts";
import { actionEvent, follow, type OpenTarget } from "./opening.ts";
import { sendPresses } from "./presses.ts";
import { problemText } from "./refusal-words.ts";
import {
  type DeviceReport,
  deleteDevice,
  putDevice,
  readDevice,
  ServerRefusal,
  serverKey,
  testDevice,
} from "./registry.ts";
import { SharedStore } from "./shared-store.ts";
import { closeAll, closeDone } from "./shown.ts";
import { SubscribeError, subscribed } from "./subscription.ts";
import { type PushSupport, pushSupport } from "./support.ts";
import { trustedAddress } from "./worker-address.ts";
import { type Pushed, readMessage } from "./worker-messages.ts";

export interface PushOptions {
  /** Address of your service worker, registered when push is turned on. Default: the page's own one. */
  readonly worker?: string | undefined;
  /** Brings the person where a pressed notification leads. Default: `follow`. */
  readonly open?: ((target: OpenTarget) => void) | undefined;
  readonly store?: SharedStore | undefined;
}

/**
 * `off`: nobody has turned it on. `blocked`: the browser's settings forbid it. `broken`: it is turned on,
 * and something is in the way. The others are what the browser lacks.
 */
export type PushStanding =
  | "checking"
  | "off"
  | "on"
  | "broken"
  | "blocked"
  | Exclude<PushSupport, "yes">;

export interface PushState {
  readonly standing: PushStanding;
  /** Something is under way. */
  readonly isBusy: boolean;
  /** What is in the way, in words for people. */
  readonly problem: string | null;
  /** What the server says of this device; null while it is not known there. */
  readonly report: DeviceReport | null;
}

const reconcileAfterMs = 100;
const testWithinMs = 30_000;

export class PushDevice {
  readonly #client: TocsinClient;
  readonly #options: PushOptions;
  readonly #store: SharedStore;
  readonly #listeners = new Set<(state: PushState) => void>();
  readonly #awaited = new Set<(pushed: Pushed) => void>();
  #state: PushState = { standing: "checking", isBusy: false, problem: null, report: null };
  #work: Promise<void> = Promise.resolve();
  #stops: (() => void)[] = [];
  #reconciling: ReturnType<typeof setTimeout> | undefined;

  constructor(client: TocsinClient, options: PushOptions = {}) {
    this.#client = client;
    this.#options = options;
    this.#store = options.store ?? new SharedStore();
  }

  state(): PushState {
    return this.#state;
  }

  /** Call `listener` with every new state; returns how to stop it. */
  subscribe(listener: (state: PushState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Begin: keep what is turned on registered, under the server's newest key, and take back what is
   * shown in vain. It asks the person nothing. Call it at every start of the app.
   */
  start(): void {
    if (this.#stops.length > 0) return;
    const container = "serviceWorker" in navigator ? navigator.serviceWorker : null;
    container?.startMessages();
    this.#stops = [
      listen(container, "message", (event) => this.#hear(event as MessageEvent)),
      listen(document, "visibilitychange", () => this.#look()),
      this.#client.subscribe(() => this.#reconcile()),
      this.#client.beforeSignOut(() => this.turnOff()),
    ];
    void this.refresh();
    void this.#watchPermission();
    void this.#tellPresses();
    this.#reconcile();
  }

  /** End what `start` began; push stays turned on. */
  close(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    clearTimeout(this.#reconciling);
    this.#reconciling = undefined;
  }

  /** Look again at how things are, and mend what can be mended without the person. */
  refresh(): Promise<void> {
    return this.#do(async () => {
      const support = pushSupport();
      if (support !== "yes") return this.#become({ standing: support, report: null });
      if (Notification.permission === "denied") return this.#become({ standing: "blocked" });
      const isOn = Notification.permission === "granted" && (await this.#wasTurnedOn());
      if (isOn) await this.#register();
      else this.#become({ standing: "off", report: null });
    });
  }

  /** Ask the browser's permission, and register. Call it from a press of the person, or browsers refuse. */
  turnOn(): Promise<void> {
    const asking = Notification.requestPermission();
    return this.#do(async () => {
      const permission = await asking;
      if (permission === "granted") await this.#register();
      else this.#become({ standing: permission === "denied" ? "blocked" : "off" });
    });
  }

  /**
   * Get no more pushes here, and take back what is shown. Also for signing out: the next person at this
   * browser must not see them.
   *
   * The browser's side is done first, so that nothing comes even if the server cannot be reached.
   */
  turnOff(): Promise<void> {
    return this.#do(async () => {
      const registration = await navigator.serviceWorker?.getRegistration();
      const subscription = await registration?.pushManager.getSubscription();
      await subscription?.unsubscribe();
      await this.#store.forget();
      if (registration) await closeAll(registration);
      showBadge(0);
      this.#become({ standing: "off", report: null });
      // A server that does not hear it learns it from the push service, at the next push.
      await deleteDevice(this.#client, this.#client.device).catch(() => undefined);
    });
  }

  /**
   * Have a test pushed to this device.
   *
   * @returns After how many milliseconds the worker showed it.
   * @throws When the server refused, or nothing came within 30 s.
   */
  async test(): Promise<number> {
    const startedAt = performance.now();
    const arrival = this.#nextPush();
    await testDevice(this.#client, this.#client.device);
    await arrival;
    const tookMs = Math.round(performance.now() - startedAt);
    await this.#readReport();
    return tookMs;
  }

  async #register(): Promise<void> {
    const { device, endpoint, hub, tokenUrl } = this.#client;
    const registration = await activeWorker(this.#options.worker);
    const key = await serverKey(this.#client);
    const subscription = await subscribed(registration.pushManager, key.publicKey);
    const report = await putDevice(this.#client, device, subscription, key.id);
    await this.#store.keepDevice({
      device,
      endpoint: endpoint ?? null,
      hub,
      tokenUrl: tokenUrl ? new URL(tokenUrl, location.href).href : null,
      key,
    });
    this.#become({ standing: "on", report });
  }

  /** There is a subscription, or there was one and the browser lost it. */
  async #wasTurnedOn(): Promise<boolean> {
    const registration = await navigator.serviceWorker.getRegistration();
    const subscription = await registration?.pushManager.getSubscription();
    return Boolean(subscription ?? (await this.#store.device()));
  }

  async #readReport(): Promise<void> {
    const report = await readDevice(this.#client, this.#client.device);
    this.#become({ report });
  }

  #nextPush(): Promise<void> {
    return new Promise((resolve, reject) => {
      const heard = () => {
        clearTimeout(timer);
        this.#awaited.delete(heard);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#awaited.delete(heard);
        reject(new Error("nothing came within 30 seconds"));
      }, testWithinMs);
      this.#awaited.add(heard);
    });
  }

  #hear(event: MessageEvent): void {
    const message = readMessage(event.data);
    switch (message?.tocsin) {
      case "pushed":
        for (const heard of [...this.#awaited]) heard(message);
        this.#reconcile();
        break;
      case "open":
        event.ports[0]?.postMessage("taken");
        (this.#options.open ?? follow)(message);
        break;
      case "pressed":
        void this.#tellPresses();
        break;
      case "renewed":
        void this.refresh();
    }
  }

  #look(): void {
    if (document.visibilityState !== "visible") return;
    this.#reconcile();
    if (this.#state.problem) void this.refresh();
  }

  /** Soon, and once for all that changes meanwhile. */
  #reconcile(): void {
    this.#reconciling ??= setTimeout(() => {
      this.#reconciling = undefined;
      void this.#takeBack().catch(() => undefined); // the next change of the inbox tries again
    }, reconcileAfterMs);
  }

  async #takeBack(): Promise<void> {
    const view = this.#client.view();
    if (!view.position || !("serviceWorker" in navigator)) return;
    showBadge(view.counts.unread);
    const registration = await navigator.serviceWorker.getRegistration();
    if (!registration) return;
    await closeDone(registration, view, (alert_id) => this.#client.hasTold({ alert_id }, "shown"));
  }

  /** Tell what was pressed, now or while no page was open; what cannot be told waits for the next start. */
  async #tellPresses(): Promise<void> {
    const presses = await this.#store.takePresses();
    for (const { alert_id, action } of presses) {
      const detail = { alert_id, action };
      if (action) document.dispatchEvent(new CustomEvent(actionEvent, { detail }));
    }
    try {
      await sendPresses(this.#client, presses);
    } catch {
      for (const press of presses) await this.#store.addPress(press);
    }
  }

  /** People change it in the browser's settings while the page is open. */
  async #watchPermission(): Promise<void> {
    const name = "notifications";
    const permission = await navigator.permissions?.query({ name }).catch(() => null);
    if (!permission || this.#stops.length === 0) return;
    this.#stops.push(listen(permission, "change", () => void this.refresh()));
  }

  /** One thing after the other; what goes wrong becomes the state, and is never thrown. */
  #do(job: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      this.#become({ isBusy: true, problem: null });
      await job().catch((error: unknown) => this.#fail(error));
      this.#become({ isBusy: false });
    });
    return this.#work;
  }

  /** A server that cannot be asked has not said no: what was turned on still gets pushes. */
  async #fail(error: unknown): Promise<void> {
    const isDefinite = error instanceof SubscribeError || error instanceof ServerRefusal;
    const isOn = !isDefinite && (await this.#wasTurnedOn());
    const problem = isDefinite ? sentence(problemText(error)) : "The server cannot be reached.";
    this.#become({ standing: isOn ? "on" : "broken", problem });
  }

  #become(change: Partial<PushState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener(this.#state);
  }
}

/** The registration of the page's worker, once it can be pushed to. */
async function activeWorker(worker: string | undefined): Promise<ServiceWorkerRegistration> {
  const { serviceWorker } = navigator;
  const registering = worker
    ? serviceWorker.register(trustedAddress(worker))
    : serviceWorker.getRegistration();
  if (await registering) return serviceWorker.ready;
  throw new SubscribeError("This page has no service worker.");
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function listen(
  target: EventTarget | null,
  name: string,
  listener: (event: Event) => void,
): () => void {
  target?.addEventListener(name, listener);
  return () => target?.removeEventListener(name, listener);
}
