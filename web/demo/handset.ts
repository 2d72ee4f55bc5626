/** A small live device in its frame: a phone, or another person's laptop. */

import { html, type PropertyDeclarations, type TemplateResult } from "lit";
import "./line-switch.ts";
import type { Line } from "./line.ts";
import type { Person } from "./people.ts";
import { PlainElement } from "./plain-element.ts";

export class DemoHandset extends PlainElement {
  static override properties: PropertyDeclarations = {
    person: { attribute: false },
    line: { attribute: false },
  };
  declare person: Person;
  declare line: Line;

  protected override render(): TemplateResult {
    const { id, name } = this.person;
    return html`
      <header class="top small">
        <span class="avatar" data-user=${id}>${name.charAt(0)}</span>
        <h1>${name}</h1>
        <demo-line-switch .line=${this.line}></demo-line-switch>
        <tocsin-bell></tocsin-bell>
      </header>
      <main><tocsin-inbox passive></tocsin-inbox></main>
      <tocsin-toasts></tocsin-toasts>
    `;
  }
}

customElements.define("demo-handset", DemoHandset);
