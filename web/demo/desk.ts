/** The main window: composer, journey, this window's inbox, and other devices beside it. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import "./agreement.ts";
import "./composer.ts";
import "./installation.ts";
import "./journey.ts";
import "./line-switch.ts";
import "./push.ts";
import type { Line } from "./line.ts";
import { type Person, people } from "./people.ts";
import { PlainElement } from "./plain-element.ts";

/** Frames are live pages: those without room for them are not loaded. */
const roomFor = {
  phone: matchMedia("(min-width: 1181px)"),
  laptop: matchMedia("(min-width: 1400px)"),
};

export class DemoDesk extends PlainElement {
  static override properties: PropertyDeclarations = {
    person: { attribute: false },
    line: { attribute: false },
  };
  declare person: Person;
  declare line: Line;
  readonly #lookAgain = () => this.requestUpdate();

  override connectedCallback(): void {
    super.connectedCallback();
    for (const room of Object.values(roomFor)) room.addEventListener("change", this.#lookAgain);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const room of Object.values(roomFor)) room.removeEventListener("change", this.#lookAgain);
  }

  protected override render(): TemplateResult {
    return html`
      <header class="top">
        <img src="/icon.svg" alt="" width="26" height="26" /><h1>Tocsin</h1>
        <a class="top-link" href="/elements/">Elements</a>
        ${this.#renderPeople()}
        <demo-push></demo-push>
        <tocsin-bell></tocsin-bell>
      </header>
      <tocsin-page-badge marks="title favicon app"></tocsin-page-badge>
      <demo-installation></demo-installation>
      <main>
        <div class="side">
          <demo-composer .person=${this.person}></demo-composer>
          <demo-agreement></demo-agreement>
        </div>
        <demo-journey .person=${this.person}></demo-journey>
        <div class="devices">
          ${this.#renderWindow()}
          ${roomFor.laptop.matches ? this.#renderLaptop() : nothing}
          ${roomFor.phone.matches ? this.#renderPhone() : nothing}
        </div>
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
          <span class="address">${this.person.name} · this browser</span>
          <demo-line-switch .line=${this.line}></demo-line-switch>
        </div>
        <tocsin-inbox passive></tocsin-inbox>
        <tocsin-toasts></tocsin-toasts>
      </section>
    `;
  }

  #renderLaptop(): TemplateResult {
    const other = people.find(({ id }) => id !== this.person.id) ?? people[0];
    return html`
      <section class="device window" aria-label="A colleague’s laptop">
        <div class="chrome">
          <span class="lights"><i></i><i></i><i></i></span>
          <span class="address">${other.name} · laptop</span>
        </div>
        ${frame(other, "laptop")}
      </section>
    `;
  }

  #renderPhone(): TemplateResult {
    return html`
      <section class="device phone" aria-label="A phone">${frame(this.person, "phone")}</section>
    `;
  }
}

function frame({ id, name }: Person, kind: string): TemplateResult {
  return html`<iframe src=${`/?device=${kind}&user=${id}`} title=${`${name}’s ${kind}`}></iframe>`;
}

customElements.define("demo-desk", DemoDesk);
