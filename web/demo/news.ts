/** What the windows of this browser tell each other: how a device stands, and what it did with an alert. */

/** One live device: a window, or a frame of the main window. */
export interface Device {
  /** As receipts name it. */
  readonly id: string;
  /** The person's id. */
  readonly person: string;
  /** What people call it: "laptop". */
  readonly kind: string;
}

export type Fact = "received" | "shown" | "seen" | "read";

/** A device did something with an alert. */
export interface Deed {
  readonly type: "deed";
  readonly device: Device;
  readonly alertId: string;
  readonly fact: Fact;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** How a device stands; told whenever it changes, and at least every `pulseMs`. */
export interface Pulse {
  readonly type: "pulse";
  readonly device: Device;
  readonly line: "connecting" | "live" | "reconnecting" | "cut";
  readonly rev: number;
  readonly brev: number;
  readonly unseen: number;
  readonly unread: number;
  /** Actions that wait for the server. */
  readonly pending: number;
  readonly at: number;
}

/** A window closed, or a frame became somebody else's. */
export interface Farewell {
  readonly type: "farewell";
  readonly device: Device;
}

/** Whoever waits for the next attempt to connect should not. */
export interface Hurry {
  readonly type: "hurry";
}

export type News = Deed | Pulse | Farewell | Hurry;

export const pulseMs = 2_000;

const channel = new BroadcastChannel("tocsin-demo");
const listeners = new Set<(news: News) => void>();
channel.onmessage = (event: MessageEvent<News>) => hear(event.data);

/** Tell all windows, this one too. */
export function tell(news: News): void {
  channel.postMessage(news);
  hear(news);
}

export function onNews(listener: (news: News) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function hear(news: News): void {
  for (const listener of listeners) listener(news);
}
