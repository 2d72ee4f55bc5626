/** The main window: composer, journey, this window's inbox, and a phone beside it. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import "./composer.ts";
import "./journey.ts";
import "./push.ts";
import { type Person, people } from "./people.ts";
import { PlainElement } from "./plain-element.ts";

export class DemoDesk extends PlainElement {
  static override properties: PropertyDeclarations = {
    person: { attribute: false },
    phoneOf: { state: true },
  };
  declare person: Person;
  declare protected phoneOf: Person | null;

  constructor() {
    super();
    this.phoneOf = null;
  }

  protected override render(): TemplateResult {
    return html`
      <header class="top">
        <img src="/icon.svg" alt="" width="26" height="26" /><h1>Tocsin</h1>
        ${this.#renderPeople()}
        <demo-push></demo-push>
        <tocsin-bell></tocsin-bell>
      </header>
      <main>
        <demo-composer .person=${this.person}></demo-composer>
        <demo-journey></demo-journey>
        ${this.#renderWindow()} ${this.#renderPhone()}
      </main>
    `;
  }

  #renderPeople(): TemplateResult {
    return html`
      <nav class="people" aria-label="Signed in as">
        ${people.map(
          ({ id, name }) => html`
            <a href=${`?user=${id}`} data-user=${id} aria-current=${id === this.person.id ? "page" : nothing}>
              <span class="avatar" data-user=${id}>${name.charAt(0)}</span><span class="name">${name}</span>
            </a>
          `,
        )}
      </nav>
    `;
  }

  #renderWindow(): TemplateResult {
    return html`
      <section class="device window" aria-label="This window">
        <div class="chrome">
          <span class="lights"><i></i><i></i><i></i></span>
          <span class="address">${this.person.name}’s inbox</span>
          <button class="quiet-button" type="button" @click=${this.#openWindow}>Open a second device</button>
        </div>
        <tocsin-inbox passive></tocsin-inbox>
        <tocsin-toasts></tocsin-toasts>
      </section>
    `;
  }

  #renderPhone(): TemplateResult {
    const owner = this.phoneOf ?? this.person;
    const choose = (event: Event) => {
      const id = (event.target as HTMLSelectElement).value;
      this.phoneOf = people.find((person) => person.id === id) ?? null;
    };
    return html`
      <section class="phone-side" aria-label="A phone">
        <div class="device phone">
          <iframe src=${`/?device=phone&user=${owner.id}`} title=${`${owner.name}’s phone`}></iframe>
        </div>
        <label class="phone-owner">
          <span class="hidden">Whose phone</span>
          <select @change=${choose}>
            ${people.map(({ id, name }) => html`<option value=${id} ?selected=${id === owner.id}>${name}’s phone</option>`)}
          </select>
        </label>
      </section>
    `;
  }

  #openWindow(): void {
    const number = Math.floor(performance.now() % 100_000);
    window.open(
      `?user=${this.person.id}&device=window`,
      `tocsin-${number}`,
      "popup,width=460,height=780",
    );
  }
}

customElements.define("demo-desk", DemoDesk);
