/**
 * The larger elements come in files of their own, as soon as the document has one of them.
 *
 * A page with a bell loads the inbox when it has nothing better to do, and settings pages alone load theirs.
 */

import type { TocsinClient } from "../core/index.ts";
import type { PushDevice, PushOptions } from "../push/index.ts";

/** Define `<tocsin-inbox>` now; needed only where one stands in a shadow root. */
export function loadInbox(): Promise<typeof import("./inbox/inbox.ts")> {
  return import("./inbox/inbox.ts");
}

/** Define the elements of settings pages now; needed only where one stands in a shadow root. */
export function loadSettings(): Promise<typeof import("./settings.ts")> {
  return import("./settings.ts");
}

/** The started push device of this client, the same for code and elements; the first options hold. */
export async function sharedPush(client: TocsinClient, options: PushOptions): Promise<PushDevice> {
  return (await loadSettings()).sharedPush(client, options);
}

/** What loads the elements of these names. */
const waiting = new Map<string, () => Promise<unknown>>([
  ["tocsin-inbox", loadInbox],
  ["tocsin-push", loadSettings],
  ["tocsin-preferences", loadSettings],
]);

/** Watch the document for elements that are not there yet. */
export function loadOnDemand(): void {
  const observer = new MutationObserver((records) => {
    for (const { addedNodes } of records) addedNodes.forEach(look);
  });
  observer.observe(document, { childList: true, subtree: true });
  look(document.documentElement);

  function look(node: Node): void {
    if (!(node instanceof Element)) return;
    for (const [name, load] of waiting) {
      if (!node.matches(name) && !node.querySelector(name)) continue;
      waiting.delete(name);
      // Without the network they come with the next one that is put on the page.
      load().catch(() => waiting.set(name, load));
    }
    if (waiting.size === 0) observer.disconnect();
  }
}
