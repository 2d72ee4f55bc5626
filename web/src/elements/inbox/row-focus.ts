/** Which row of the inbox has the focus, or had it last; and what the focus does when rows go. */

import type { ReactiveController } from "lit";
import type { ClientElement } from "../client-element.ts";
import type { RowWindow } from "./row-window.ts";

export class RowFocus implements ReactiveController {
  readonly #host: ClientElement;
  readonly #window: RowWindow;
  #current: string | null = null;
  #hadIt = false;

  constructor(host: ClientElement, window: RowWindow) {
    this.#host = host;
    this.#window = window;
    host.addController(this);
  }

  /** The row that has the focus, or had it last. */
  get current(): string | null {
    return this.#current;
  }

  set current(id: string | null) {
    if (id === this.#current) return;
    this.#current = id;
    this.#host.requestUpdate();
  }

  /** Whether something in the inbox has the focus. */
  get isHere(): boolean {
    return (this.#host.renderRoot as ShadowRoot).activeElement !== null;
  }

  /** What a menu that a key opens stands beside. */
  get place(): Element {
    return this.#ofCurrent(".head") ?? this.#host;
  }

  hostUpdate(): void {
    this.#hadIt = this.isHere;
  }

  hostUpdated(): void {
    // What had the focus is gone, perhaps on another device.
    if (this.#hadIt && !this.isHere) this.#host.focus();
  }

  /** To be called when something in the list gets the focus. */
  readonly came = (event: Event): void => {
    const row = (event.target as Element).closest<HTMLElement>("[data-key]");
    if (row) this.current = row.dataset.key ?? null;
  };

  /** Bring the focus to a row, wherever it is; nowhere if there is none. */
  async go(id: string | undefined): Promise<void> {
    if (id === undefined) return;
    this.current = id;
    await this.#window.reveal(id);
    await this.#host.updateComplete;
    this.toCurrent();
  }

  /** Bring it to the row that had it last, or where the inbox puts it, once drawn. */
  toCurrent(): void {
    const row = this.#ofCurrent(".title");
    if (row) row.focus();
    else void this.#host.updateComplete.then(() => this.#host.focus());
  }

  #ofCurrent(selector: string): HTMLElement | null {
    if (!this.#current) return null;
    return this.#host.renderRoot.querySelector<HTMLElement>(
      `[data-key="${CSS.escape(this.#current)}"] ${selector}`,
    );
  }
}
