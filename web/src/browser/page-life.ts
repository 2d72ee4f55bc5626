/** When a page is looked at, and when it sleeps; where there is no page (a worker, Node), never. */

import type { PageEvents } from "../core/client-options.ts";

/** Some browsers tell when the network is another one, or another in kind. */
type Navigating = (Navigator & { readonly connection?: EventTarget }) | undefined;

/** @returns How to stop watching. */
export function watchPage({ onLook, onSleep, onWake }: PageEvents): () => void {
  const page = globalThis.document;
  const { connection } = (globalThis.navigator as Navigating) ?? {};
  const heard: [EventTarget | undefined, string, (event: Event) => void][] = [
    [globalThis, "online", onLook],
    [connection, "change", onLook],
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
