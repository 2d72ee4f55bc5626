/** One element: live, with its attributes to turn, its events as they happen, its colours to change. */

import {
  html,
  type LitElement,
  nothing,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import type { Described, ElementDescription } from "../../element-manifest.ts";
import type { Person } from "../people.ts";
import { PlainElement } from "../plain-element.ts";
import { samples } from "../samples.ts";
import { publish } from "../server.ts";
import { colourOf } from "./colour.ts";
import type { Page } from "./manifest.ts";

interface Happened {
  readonly name: string;
  readonly detail: string;
}

const eventsShown = 6;
const colour = /^--tocsin-(?!font|.*-(?:layer|ring|width|height|size))/;

export class DemoReference extends PlainElement {
  static override properties: PropertyDeclarations = {
    page: { attribute: false },
    person: { attribute: false },
    happened: { state: true },
    set: { state: true },
  };
  declare page: Page;
  declare person: Person;
  declare protected happened: readonly Happened[];
  /** Attributes as they are set now, by name. */
  declare protected set: ReadonlyMap<string, string>;
  #live: HTMLElement | null = null;
  #next = 0;

  constructor() {
    super();
    this.happened = [];
    this.set = new Map();
  }

  protected override updated(): void {
    void this.#showColours();
  }

  protected override render(): TemplateResult {
    const { element, all } = this.page;
    return html`
      <header class="top">
        <img src="/icon.svg" alt="" width="26" height="26" /><h1>Tocsin elements</h1>
        <a class="top-link" href="/">Demo</a>
      </header>
      <div class="reference">
        <nav aria-label="Elements">${all.map((each) => this.#renderLink(each))}</nav>
        <main>
          <h2><code>&lt;${element.tagName}&gt;</code></h2>
          <p class="summary">${words(element.summary)}</p>
          ${element.description ? html`<p>${words(element.description)}</p>` : nothing}
          <div class="stage" data-element=${element.tagName}>${this.#liveElement()}</div>
          ${this.#renderBelowStage()}
          <pre><code>${this.#markup()}</code></pre>
          ${this.#renderAttributes()} ${this.#renderEvents()}
          ${renderTable("Methods", element.members)} ${renderTable("Slots", element.slots)}
          ${renderTable("Parts", element.cssParts, (name) => `::part(${name})`)}
          ${this.#renderTheme()}
        </main>
      </div>
    `;
  }

  #renderLink({ tagName }: ElementDescription): TemplateResult {
    const isCurrent = tagName === this.page.element.tagName;
    return html`<a href=${`?element=${tagName}`} aria-current=${isCurrent ? "page" : nothing}>${tagName}</a>`;
  }

  /** The same one for as long as the page lives: what was opened in it stays open. */
  #liveElement(): HTMLElement {
    this.#live ??= this.#create();
    return this.#live;
  }

  #create(): HTMLElement {
    const { tagName, events } = this.page.element;
    const live = document.createElement(tagName);
    for (const { name } of events) {
      live.addEventListener(name, (event) => {
        const { detail } = event as CustomEvent<unknown>;
        const told = { name, detail: detail == null ? "" : JSON.stringify(detail) };
        this.happened = [told, ...this.happened].slice(0, eventsShown);
      });
    }
    return live;
  }

  #renderBelowStage(): TemplateResult {
    return html`
      <div class="below">
        <button class="secondary" type="button" @click=${this.#send}>Send an alert</button>
        <div class="happened" aria-label="Events" role="log">
          ${this.happened.map(({ name, detail }) => html`<div><code>${name}</code> <span class="quiet">${detail}</span></div>`)}
        </div>
      </div>
    `;
  }

  #markup(): string {
    const { tagName } = this.page.element;
    const lines = [...this.set].map(([name, value]) =>
      value === "" ? name : `${name}="${value}"`,
    );
    const attributes = ['token-url="/my-backend/tocsin-token"', 'user="ada"', ...lines];
    return `<${tagName} ${attributes.join(" ")}></${tagName}>`;
  }

  #renderAttributes(): TemplateResult | typeof nothing {
    const { attributes } = this.page.element;
    return section(
      "Attributes",
      attributes,
      html`${attributes.map(
        (each) => html`
          <tr>
            <th scope="row"><code>${each.name}</code></th>
            <td><code class="quiet">${each.type?.text ?? "string"}</code><br />${words(each.description)}</td>
            <td class="control">${this.#renderControl(each)}</td>
          </tr>
        `,
      )}`,
    );
  }

  /** A way to turn the attribute here, where its type says what there is to choose from. */
  #renderControl({ name, type }: Described): TemplateResult | typeof nothing {
    const choices = [...(type?.text.matchAll(/"([^"]+)"/g) ?? [])].map(([, choice = ""]) => choice);
    if (type?.text === "boolean") {
      const turn = (event: Event) =>
        this.#setAttribute(name, (event.target as HTMLInputElement).checked ? "" : null);
      return html`<input type="checkbox" aria-label=${name} @change=${turn} />`;
    }
    if (choices.length === 0) return nothing;
    const choose = (event: Event) =>
      this.#setAttribute(name, (event.target as HTMLSelectElement).value || null);
    return html`
      <select aria-label=${name} @change=${choose}>
        <option value="">default</option>${choices.map((choice) => html`<option>${choice}</option>`)}
      </select>
    `;
  }

  #setAttribute(name: string, value: string | null): void {
    const set = new Map(this.set);
    if (value === null) {
      set.delete(name);
      this.#live?.removeAttribute(name);
    } else {
      set.set(name, value);
      this.#live?.setAttribute(name, value);
    }
    this.set = set;
  }

  #renderEvents(): TemplateResult | typeof nothing {
    return renderTable("Events", this.page.element.events);
  }

  #renderTheme(): TemplateResult | typeof nothing {
    const { cssProperties } = this.page.element;
    const paint = (name: string) => (event: Event) =>
      this.#live?.style.setProperty(name, (event.target as HTMLInputElement).value);
    return section(
      "Custom properties",
      cssProperties,
      html`${cssProperties.map(
        ({ name, description }) => html`
          <tr>
            <th scope="row"><code>${name}</code></th>
            <td>${words(description)}</td>
            <td class="control">${colour.test(name) ? html`<input type="color" aria-label=${name} @input=${paint(name)} />` : nothing}</td>
          </tr>
        `,
      )}`,
    );
  }

  /** The element's colours as they are, once it has its styles. */
  async #showColours(): Promise<void> {
    const live = this.#live;
    if (!live) return;
    await customElements.whenDefined(live.localName);
    await (live as LitElement).updateComplete;
    for (const input of this.querySelectorAll<HTMLInputElement>("[type=color]")) {
      input.value = colourOf(live, input.ariaLabel ?? "");
    }
  }

  #send(): void {
    const sample = samples[this.#next % samples.length];
    this.#next += 1;
    if (!sample) return;
    const { label: _, ...alert } = sample;
    const draft = { ...alert, id: crypto.randomUUID(), to: { users: [this.person.id] } };
    void publish(draft, () => undefined);
  }
}

/** Text with `code` in it. */
function words(text: string): readonly (string | TemplateResult)[] {
  return text
    .split("`")
    .map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`));
}

function renderTable(
  title: string,
  rows: readonly Described[],
  written: (name: string) => string = (name) => name,
): TemplateResult | typeof nothing {
  return section(
    title,
    rows,
    html`${rows.map(
      ({ name, description, type }) => html`
        <tr>
          <th scope="row"><code>${written(name)}</code></th>
          <td colspan="2">${type ? html`<code class="quiet">${type.text}</code><br />` : nothing}${words(description)}</td>
        </tr>
      `,
    )}`,
  );
}

function section(
  title: string,
  rows: readonly unknown[],
  body: TemplateResult,
): TemplateResult | typeof nothing {
  if (rows.length === 0) return nothing;
  return html`<section class="part"><h3>${title}</h3><table><tbody>${body}</tbody></table></section>`;
}

customElements.define("demo-reference", DemoReference);
