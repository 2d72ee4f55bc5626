/** A small live device: a phone in its frame, or a second window. */

import { html, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Person } from "./people.ts";
import { PlainElement } from "./plain-element.ts";

export class DemoHandset extends PlainElement {
  static override properties: PropertyDeclarations = { person: { attribute: false } };
  declare person: Person;

  protected override render(): TemplateResult {
    const { id, name } = this.person;
    return html`
      <header class="top small">
        <span class="avatar" data-user=${id}>${name.charAt(0)}</span>
        <h1>${name}</h1>
        <tocsin-bell></tocsin-bell>
      </header>
      <tocsin-inbox passive></tocsin-inbox>
      <tocsin-toasts></tocsin-toasts>
    `;
  }
}

customElements.define("demo-handset", DemoHandset);
