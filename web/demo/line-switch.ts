/** Cuts a device's line, as a tunnel or a lift does, and mends it. */

import { html, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Line } from "./line.ts";
import { PlainElement } from "./plain-element.ts";

export class DemoLineSwitch extends PlainElement {
  static override properties: PropertyDeclarations = { line: { attribute: false } };
  declare line: Line;

  protected override render(): TemplateResult {
    const { isCut } = this.line;
    return html`
      <button class="line-switch" type="button" role="switch" aria-checked=${!isCut} aria-label="Online"
        title=${isCut ? "Offline: press to connect" : "Online: press to cut the line"} @click=${this.#turn}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 20h.01" /><path d="M8.5 16.4a5 5 0 0 1 7 0" /><path d="M5 12.9a10 10 0 0 1 14 0" /><path d="M1.5 9.3a15 15 0 0 1 21 0" />
          ${isCut ? html`<svg><path d="m2 2 20 20" /></svg>` : ""}
        </svg>
      </button>
    `;
  }

  #turn(): void {
    if (this.line.isCut) this.line.mend();
    else this.line.cut();
    this.requestUpdate();
  }
}

customElements.define("demo-line-switch", DemoLineSwitch);
