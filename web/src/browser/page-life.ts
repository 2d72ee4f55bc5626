/** When a page is looked at, and when it sleeps; where there is no page (a worker, Node), never. */

import type { PageEvents } from "../core/client-options.ts";

/** Some browsers tell of what kind the network is, and when what they know of it changes. */
type Connection = EventTarget & { readonly type?: string };
type Navigating = (Navigator & { readonly connection?: Connection }) | undefined;

/** @returns How to stop watching. */
export function watchPage({ onLook, onSleep, onWake }: PageEvents): () => void {
  const page = globalThis.document;
  const { connection } = (globalThis.navigator as Navigating) ?? {};
  let kind = connection?.type;
  // Most changes are another guess at its speed, which says nothing of the line.
  const onNetwork = () => {
    const before = kind;
    kind = connection?.type;
    if (kind !== before) onLook();
  };
  const heard: [EventTarget | undefined, string, (event: Event) => void][] = [
    [globalThis, "online", onLook],
    [connection, "change", onNetwork],
    [globalThis, "focus", onLook],
    [page, "visibilitychange", () => page.visibilityState === "visible" && onLook()],
    [page, "freeze", onSleep],
    [globalThis, "pagehide", onSleep],
    [page, "resume", onWake],
    [globalThis, "pageshow", (event) => (event as PageTransitionEvent).persisted && onWake()],
  ];
  for (const [target, name, listener] of heard) target?.addEventListener?.(name, listener);
  return () => {
    for (const [target, name, listener] of heard) target?.removeEventListener?.(name, listener);
  };
}
