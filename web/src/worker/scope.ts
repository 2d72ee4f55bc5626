/**
 * The part of a service worker's world that push needs.
 *
 * TypeScript's own description of it (the library `webworker`) cannot stand beside that of a page.
 */

export interface WaitingEvent {
  waitUntil(work: Promise<unknown>): void;
}

export interface PushEvent extends WaitingEvent {
  readonly data: { text(): string } | null;
}

export interface NotificationEvent extends WaitingEvent {
  readonly notification: Pick<Notification, "close" | "data" | "tag">;
  /** The id of the button; empty for the notification itself. */
  readonly action: string;
}

export interface SubscriptionChangeEvent extends WaitingEvent {
  readonly newSubscription?: PushSubscription | null;
}

export interface WindowClient {
  readonly url: string;
  /** A page within another one is `nested`. */
  readonly frameType: "auxiliary" | "top-level" | "nested" | "none";
  readonly focused: boolean;
  readonly visibilityState: DocumentVisibilityState;
  focus(): Promise<unknown>;
  postMessage(message: unknown, transfer?: readonly MessagePort[]): void;
}

export interface Clients {
  matchAll(options: { type: "window"; includeUncontrolled: true }): Promise<WindowClient[]>;
  openWindow(url: string): Promise<unknown>;
}

/** What may be asked of a notification in a worker, beyond what TypeScript's page knows. */
export interface ShowOptions extends NotificationOptions {
  readonly renotify?: boolean;
  readonly timestamp?: number;
  readonly actions?: readonly { readonly action: string; readonly title: string }[];
}

export interface Registration {
  readonly scope: string;
  readonly pushManager: Pick<PushManager, "subscribe">;
  showNotification(title: string, options?: ShowOptions): Promise<void>;
}

interface WorkerEvents {
  readonly push: PushEvent;
  readonly notificationclick: NotificationEvent;
  readonly pushsubscriptionchange: SubscriptionChangeEvent;
}

export interface WorkerScope {
  readonly registration: Registration;
  readonly clients: Clients;
  readonly navigator: Pick<Navigator, "setAppBadge" | "clearAppBadge">;
  addEventListener<Name extends keyof WorkerEvents>(
    name: Name,
    listener: (event: WorkerEvents[Name]) => void,
  ): void;
}
