/** The open windows of the app: telling them all, and bringing one of them to the person. */

import { isForeign } from "../core/links.ts";
import type { Open, WorkerMessage } from "../push/worker-messages.ts";
import type { WindowClient, WorkerScope } from "./scope.ts";

/** A page that does not answer in this time is taken for one without Tocsin, or frozen. */
const answerWithinMs = 1_000;

/** Tell every open window; returns how many there are. */
export async function tellPages(scope: WorkerScope, message: WorkerMessage): Promise<number> {
  const pages = await windows(scope);
  for (const page of pages) page.postMessage(message);
  return pages.length;
}

/**
 * Bring the target to the person: in a window that is open and takes it, else in a new one.
 *
 * A press allows one of both, focusing or opening, and not both; so the page is asked first.
 */
export async function openTarget(scope: WorkerScope, message: Open): Promise<void> {
  const home = scope.registration.scope;
  const target = new URL(message.url ?? "", home).href;
  if (isForeign(target, new URL(home).origin)) {
    await scope.clients.openWindow(target);
    return;
  }
  const [page] = (await windows(scope)).sort((a, b) => rank(b) - rank(a));
  if (page && (await takes(page, message))) await page.focus();
  else await scope.clients.openWindow(target);
}

/** The windows of the worker's own origin, under its scope. */
async function windows(scope: WorkerScope): Promise<WindowClient[]> {
  const all = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter(({ url }) => url.startsWith(scope.registration.scope));
}

/** Whole windows first, of them the one in front. */
function rank({ frameType, focused, visibilityState }: WindowClient): number {
  const marks = [frameType !== "nested", focused, visibilityState === "visible"];
  return marks.reduce((sum, mark) => sum * 2 + Number(mark), 0);
}

/** Whether the page says that it takes the target. */
function takes(page: WindowClient, message: Open): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), answerWithinMs);
    port1.onmessage = () => {
      clearTimeout(timer);
      port1.close();
      resolve(true);
    };
    page.postMessage(message, [port2]);
  });
}
