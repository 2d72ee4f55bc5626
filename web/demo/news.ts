/** What the windows of this browser tell each other: which device has received or read which alert. */

export interface News {
  readonly alertId: string;
  readonly what: "received" | "read";
  readonly device: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const channel = new BroadcastChannel("tocsin-demo");
const listeners = new Set<(news: News) => void>();
channel.onmessage = (event: MessageEvent<News>) => hear(event.data);

/** Tell all windows, this one too. */
export function tell(news: News): void {
  channel.postMessage(news);
  hear(news);
}

export function onNews(listener: (news: News) => void): void {
  listeners.add(listener);
}

function hear(news: News): void {
  for (const listener of listeners) listener(news);
}
