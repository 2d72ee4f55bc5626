/**
 * What the service worker and the pages of an app tell each other.
 *
 * A page answers `open` on the port that comes with it: whoever is not answered goes another way.
 */

/** A notification was shown. */
export interface Pushed {
  readonly tocsin: "pushed";
  readonly alert_id: string;
  /** When the worker got it, in milliseconds since 1970. */
  readonly at: number;
}

/** A notification, or one of its buttons, was pressed; the presses wait in the browser's store. */
export interface Open {
  readonly tocsin: "open";
  readonly alert_id: string;
  /** Where it leads, safe to follow; relative ones to the page. Null: nowhere, the inbox is shown. */
  readonly url: string | null;
}

/** There are presses to be told. */
export interface Pressed {
  readonly tocsin: "pressed";
}

/** The browser has another subscription; a page tells the server. */
export interface Renewed {
  readonly tocsin: "renewed";
}

export type WorkerMessage = Pushed | Open | Pressed | Renewed;

const kinds: readonly unknown[] = ["pushed", "open", "pressed", "renewed"];

/** The message, or null for what is not ours: an app's own worker talks to its pages, too. */
export function readMessage(data: unknown): WorkerMessage | null {
  const { tocsin } = (data ?? {}) as { readonly tocsin?: unknown };
  return kinds.includes(tocsin) ? (data as WorkerMessage) : null;
}
