/** A short word at the lower edge, perhaps with a way back, for as long as it takes to change one's mind. */

import { html, nothing, type ReactiveController, type TemplateResult } from "lit";
import type { ClientElement } from "../client-element.ts";
import type { Language } from "../language.ts";
import type { Notice } from "./acts.ts";

const shownMs = 8_000;

export class NoticeController implements ReactiveController {
  readonly #host: ClientElement;
  #notice: Notice | null = null;
  #isPointedAt = false;
  #hasFocus = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: ClientElement) {
    this.#host = host;
    host.addController(this);
  }

  tell(notice: Notice | null): void {
    this.#notice = notice;
    this.#isPointedAt &&= notice !== null;
    // What had it goes with the notice before.
    this.#hasFocus = false;
    this.#countDown();
    this.#host.requestUpdate();
  }

  /** Go the way back, if there is one. Returns whether there was. */
  undo(): boolean {
    const { undo } = this.#notice ?? {};
    if (!undo) return false;
    undo();
    this.tell(null);
    return true;
  }

  hostDisconnected(): void {
    this.tell(null);
  }

  /** The live region stays, so that what is told is spoken. */
  render({ say }: Language): TemplateResult {
    const { phrase, values, undo } = this.#notice ?? {};
    const takeBack = () => {
      this.undo();
      this.#host.focus();
    };
    return html`
      <div role="status">
        ${
          phrase
            ? html`<div
                class="notice"
                @pointerenter=${() => this.#pointed(true)} @pointerleave=${() => this.#pointed(false)}
                @focusin=${() => this.#focused(true)} @focusout=${() => this.#focused(false)}
              >
                <span>${say(phrase, values)}</span>
                ${undo ? html`<button type="button" @click=${takeBack}>${say("Undo")}</button>` : nothing}
              </div>`
            : nothing
        }
      </div>
    `;
  }

  #pointed(isPointedAt: boolean): void {
    this.#isPointedAt = isPointedAt;
    this.#countDown();
  }

  #focused(hasFocus: boolean): void {
    this.#hasFocus = hasFocus;
    this.#countDown();
  }

  /** Its time begins, and begins anew when the person leaves it: none passes while they are at it. */
  #countDown(): void {
    clearTimeout(this.#timer);
    if (!this.#notice || this.#isPointedAt || this.#hasFocus) return;
    this.#timer = setTimeout(() => this.tell(null), shownMs);
  }
}
