/** The button beside the bell: its panel explains push, turns it on, and shows whether it works. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { PushState } from "../src/elements/index.ts";
import { workerAddress } from "./installation.ts";
import { PlainElement } from "./plain-element.ts";

export class DemoPush extends PlainElement {
  static override properties: PropertyDeclarations = { isOn: { state: true } };
  declare protected isOn: boolean;

  constructor() {
    super();
    this.isOn = false;
  }

  protected override render(): TemplateResult {
    const label = `Push on this device: ${this.isOn ? "on" : "off"}`;
    return html`
      <button class="push-button" type="button" popovertarget="push-panel" aria-label=${label}>
        <svg viewBox="0 0 24 24" aria-hidden="true"><rect width="14" height="20" x="5" y="2" rx="2" /><path d="M12 18h.01" /></svg>
        ${this.isOn ? html`<span class="push-dot"></span>` : nothing}
      </button>
      <div class="push-panel" id="push-panel" popover="auto" role="dialog" aria-label="Push on this device">
        <tocsin-push worker=${workerAddress} @tocsin-push=${this.#note}></tocsin-push>
      </div>
    `;
  }

  #note({ detail }: CustomEvent<PushState>): void {
    this.isOn = detail.standing === "on";
  }
}

customElements.define("demo-push", DemoPush);
