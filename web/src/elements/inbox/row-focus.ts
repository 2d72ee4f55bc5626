/** Which row of the inbox has the focus, or had it last; and what the focus does when rows go. */

import type { ClientElement } from "../client-element.ts";
import { FocusKeeper } from "../focus-keeper.ts";
import type { RowWindow } from "./row-window.ts";

export class RowFocus {
  readonly #host: ClientElement;
  readonly #window: RowWindow;
  readonly #keeper: FocusKeeper;
  #current: string | null = null;

  constructor(host: ClientElement, window: RowWindow) {
    this.#host = host;
    this.#window = window;
    this.#keeper = new FocusKeeper(host, () => host.focus());
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

  /** What in the inbox has the focus. */
  get here(): Element | null {
    return this.#keeper.here;
  }

  /** What a menu that a key opens stands beside. */
  get place(): Element {
    return this.#ofCurrent(".head") ?? this.#host;
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
