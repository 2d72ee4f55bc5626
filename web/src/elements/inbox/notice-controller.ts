/** A short word at the lower edge, perhaps with a way back, for as long as it takes to change one's mind. */

import { html, nothing, type ReactiveController, type TemplateResult } from "lit";
import type { ClientElement } from "../client-element.ts";
import type { Language } from "../language.ts";
import type { Notice } from "./acts.ts";

const shownMs = 8_000;

export class NoticeController implements ReactiveController {
  readonly #host: ClientElement;
  #notice: Notice | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: ClientElement) {
    this.#host = host;
    host.addController(this);
  }

  tell(notice: Notice | null): void {
    clearTimeout(this.#timer);
    this.#notice = notice;
    this.#host.requestUpdate();
    if (notice) this.#timer = setTimeout(() => this.tell(null), shownMs);
  }

  hostDisconnected(): void {
    clearTimeout(this.#timer);
  }

  /** The live region stays, so that what is told is spoken. */
  render({ say }: Language): TemplateResult {
    const { phrase, values, undo } = this.#notice ?? {};
    const takeBack = () => {
      undo?.();
      this.tell(null);
      this.#host.focus();
    };
    return html`
      <div role="status">
        ${
          phrase
            ? html`<div class="notice">
                <span>${say(phrase, values)}</span>
                ${undo ? html`<button type="button" @click=${takeBack}>${say("Undo")}</button>` : nothing}
              </div>`
            : nothing
        }
      </div>
    `;
  }
}
