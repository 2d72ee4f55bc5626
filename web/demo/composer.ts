/** Writes and sends an alert. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Severity } from "../src/elements/index.ts";
import { type Person, people } from "./people.ts";
import { PlainElement } from "./plain-element.ts";
import { type Sample, samples } from "./samples.ts";
import { type Draft, publish } from "./server.ts";

const severities: readonly Severity[] = ["info", "success", "warning", "error", "critical"];
const burst = 5;

export class DemoComposer extends PlainElement {
  static override properties: PropertyDeclarations = {
    person: { attribute: false },
    to: { state: true },
    sample: { state: true },
    severity: { state: true },
    problem: { state: true },
    isSending: { state: true },
    isWaiting: { state: true },
  };

  declare person: Person;
  declare protected to: string;
  declare protected sample: Sample;
  declare protected severity: Severity;
  declare protected problem: string;
  declare protected isSending: boolean;
  declare protected isWaiting: boolean;

  constructor() {
    super();
    this.to = "me";
    this.sample = samples[1] as Sample;
    this.severity = this.sample.severity;
    this.problem = "";
    this.isSending = false;
    this.isWaiting = false;
  }

  protected override render(): TemplateResult {
    return html`
      <form class="card composer" @submit=${this.#submit}>
        <h2>Send an alert</h2>
        ${this.#renderSamples()} ${this.#renderAudience()} ${this.#renderSeverity()}
        <label>Title<input name="title" required maxlength="200" autocomplete="off" .value=${this.sample.title} /></label>
        <label>Message<textarea name="body" rows="2" maxlength="2000" .value=${this.sample.body}></textarea></label>
        <div class="send">
          <button class="primary" type="submit" ?disabled=${this.isSending}>${this.isWaiting ? "Waiting …" : "Send"}</button>
          <button class="secondary" type="button" ?disabled=${this.isSending} @click=${this.#sendBurst}>Send ${burst} at once</button>
        </div>
        ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      </form>
    `;
  }

  #renderSamples(): TemplateResult {
    const pick = (sample: Sample) => {
      this.sample = sample;
      this.severity = sample.severity;
    };
    return html`
      <div class="chips" role="group" aria-label="Examples">
        ${samples.map(
          (sample) => html`
            <button class="chip" type="button" aria-pressed=${sample === this.sample} @click=${() => pick(sample)}>
              <span class="severity-dot" data-severity=${sample.severity}></span>${sample.label}
            </button>
          `,
        )}
      </div>
    `;
  }

  #renderAudience(): TemplateResult {
    const others = people.filter(({ id }) => id !== this.person.id);
    const choices = [
      ["me", "Me"],
      ...others.map(({ id, name }) => [id, name]),
      ["all", "Everyone"],
    ] as const;
    return this.#renderChoices("To", "to", choices, this.to, (value) => {
      this.to = value;
    });
  }

  #renderSeverity(): TemplateResult {
    const choices = severities.map((severity) => [severity, capitalised(severity)] as const);
    return this.#renderChoices("Severity", "severity", choices, this.severity, (value) => {
      this.severity = value as Severity;
    });
  }

  #renderChoices(
    legend: string,
    name: string,
    choices: readonly (readonly [string, string] | readonly string[])[],
    chosen: string,
    choose: (value: string) => void,
  ): TemplateResult {
    return html`
      <fieldset>
        <legend>${legend}</legend>
        <div class="choices">
          ${choices.map(
            ([value = "", label]) => html`
              <label class="choice">
                <input type="radio" name=${name} value=${value} .checked=${value === chosen} @change=${() => choose(value)} />
                <span>${label}</span>
              </label>
            `,
          )}
        </div>
      </fieldset>
    `;
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    void this.#send(1);
  }

  #sendBurst(): void {
    if (this.querySelector("form")?.reportValidity()) void this.#send(burst);
  }

  async #send(times: number): Promise<void> {
    const draft = this.#draft();
    const journey = document.querySelector("demo-journey");
    const wait = () => {
      this.isWaiting = true;
    };
    this.isSending = true;
    this.problem = "";
    journey?.begin(draft.title, "all" in draft.to ? null : draft.to.users);
    try {
      const drafts = Array.from({ length: times }, () => ({ ...draft, id: crypto.randomUUID() }));
      const sent = await Promise.all(drafts.map((each) => publish(each, wait)));
      const last = sent.at(-1);
      if (last) journey?.accepted(last.id);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.isSending = false;
      this.isWaiting = false;
    }
  }

  #draft(): Omit<Draft, "id"> {
    const form = new FormData(this.querySelector("form") ?? undefined);
    const body = String(form.get("body") ?? "").trim();
    const { source, url, actions } = this.sample;
    return {
      to:
        this.to === "all"
          ? { all: true }
          : { users: [this.to === "me" ? this.person.id : this.to] },
      title: String(form.get("title") ?? "").trim(),
      ...(body && { body }),
      severity: this.severity,
      source,
      ...(url && { url }),
      ...(actions && { actions }),
    };
  }
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

customElements.define("demo-composer", DemoComposer);

declare global {
  interface HTMLElementTagNameMap {
    "demo-composer": DemoComposer;
  }
}
