/** This installation's name: made once and kept, so that its receipts belong together. */

import { newOpId } from "./op-id.ts";

const place = "tocsin-device";

/** The id kept by this browser; where nothing can be kept (Node, some private windows) it lives with the page. */
export function deviceId(): string {
  try {
    const kept = localStorage.getItem(place) ?? newOpId();
    localStorage.setItem(place, kept);
    return kept;
  } catch {
    return newOpId();
  }
}
