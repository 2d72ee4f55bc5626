/** Which alerts stand before somebody's eyes in an open inbox: those need no toast. */

import type { LitElement, ReactiveController } from "lit";

const inboxes = new Set<OnScreen>();

/** Whether an inbox of this page shows the item just now, not scrolled or covered away. */
export function isOnScreen(id: string): boolean {
  return [...inboxes].some((inbox) => inbox.shows(id));
}

/** Makes its host one of those inboxes; each row names its item in `data-key`. */
export class OnScreen implements ReactiveController {
  readonly #host: LitElement;
  readonly #isWatched: () => boolean;

  /** @param isWatched Whether somebody looks at this one: what a passive one shows is shown again. */
  constructor(host: LitElement, isWatched: () => boolean) {
    this.#host = host;
    this.#isWatched = isWatched;
    host.addController(this);
  }

  hostConnected(): void {
    inboxes.add(this);
  }

  hostDisconnected(): void {
    inboxes.delete(this);
  }

  shows(id: string): boolean {
    const root = this.#host.renderRoot as ShadowRoot;
    const row = this.#isWatched() && root.querySelector(`[data-key="${CSS.escape(id)}"]`);
    if (!row) return false;
    const { left, top, width, height } = row.getBoundingClientRect();
    return row.contains(root.elementFromPoint(left + width / 2, top + height / 2));
  }
}
