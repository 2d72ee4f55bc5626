/** Keeps the focus in an element when what had it there is drawn no more: perhaps it went on another device. */

import type { ReactiveController } from "lit";
import type { ClientElement } from "./client-element.ts";

export class FocusKeeper implements ReactiveController {
  readonly #host: ClientElement;
  readonly #goOn: (gone: Element) => void;
  #had: Element | null = null;

  /** @param goOn Takes the focus on from what is gone. */
  constructor(host: ClientElement, goOn: (gone: Element) => void) {
    this.#host = host;
    this.#goOn = goOn;
    host.addController(this);
  }

  /** What in the element has the focus. */
  get here(): Element | null {
    return (this.#host.renderRoot as ShadowRoot).activeElement;
  }

  hostUpdate(): void {
    this.#had = this.here;
  }

  hostUpdated(): void {
    if (this.#had && !this.here) this.#goOn(this.#had);
  }
}
