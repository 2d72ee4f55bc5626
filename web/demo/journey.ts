/** The last alert's way: one line to the disk, then a lane for each device. Dots fill with times. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { type Deed, type Device, onNews } from "./news.ts";
import { type Person, person } from "./people.ts";
import { PlainElement } from "./plain-element.ts";
import { Roster } from "./roster.ts";
import { span } from "./span.ts";
import { type LaneStop, laneStops, Trip, trunkStops } from "./trip.ts";

export class DemoJourney extends PlainElement {
  static override properties: PropertyDeclarations = { person: { attribute: false } };
  declare person: Person;
  readonly #roster = new Roster(this);
  #trip: Trip | null = null;
  /** News may come before the answer that tells the alert's id. */
  #early: Deed[] = [];
  #stopNews: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopNews = onNews((news) => {
      if (news.type === "deed") this.#hear(news);
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopNews?.();
    this.#trip?.end();
  }

  /** A new trip begins; the last one is forgotten. `audience` is null for everybody. */
  begin(title: string, audience: readonly string[] | null): void {
    this.#trip?.end();
    this.#early = [];
    this.#trip = new Trip(title, audience, () => this.requestUpdate());
    this.requestUpdate();
  }

  /** The server has it: follow it from here. */
  accepted(alertId: string): void {
    this.#trip?.accepted(alertId);
    for (const deed of this.#early) this.#trip?.hear(deed);
    this.#early = [];
  }

  protected override render(): TemplateResult {
    const trip = this.#trip;
    return html`
      <section class="card journey" aria-label="Journey of the last alert">
        <p class="journey-title">
          ${trip ? html`<span class="quiet">Last alert</span> ${trip.title}` : html`<span class="quiet">Send an alert to watch its way</span>`}
        </p>
        <div class="way">
          <ol class="trunk">
            ${trunkStops.map(([stop, name, hint]) => this.#renderStop(stop === "sent" ? clock(trip?.sentAt) : this.#after(trip?.trunk[stop]), name, hint))}
          </ol>
          <div class="lanes">
            <div class="lane lane-heads" aria-hidden="true">
              <span></span>${laneStops.map(([, name, hint]) => html`<span title=${hint}>${name}</span>`)}
            </div>
            ${this.#devices().map((device) => this.#renderLane(device))}
          </div>
        </div>
      </section>
    `;
  }

  /** Those live here that the alert is for, and those elsewhere that the server tells of. */
  #devices(): readonly Device[] {
    const audience = this.#trip ? this.#trip.audience : [this.person.id];
    const here = this.#roster.pulses
      .map(({ device }) => device)
      .filter((device) => !audience || audience.includes(device.person));
    const known = new Set(here.map(({ id }) => id));
    return [...here, ...(this.#trip?.strangers(known) ?? [])];
  }

  #renderStop(time: string | typeof nothing, name: string, hint: string): TemplateResult {
    return html`
      <li class=${time === nothing ? "" : "reached"} title=${hint}>
        <span class="stop-dot"></span>
        <span class="stop-name">${name}</span>
        <span class="stop-time">${time}</span>
      </li>
    `;
  }

  #renderLane(device: Device): TemplateResult {
    const { name } = person(device.person);
    const facts = this.#trip?.lanes.get(device.id);
    return html`
      <div class="lane">
        <span class="lane-name">
          <span class="avatar" data-user=${device.person}>${name.charAt(0)}</span>
          <span><span class="hidden">${name}, </span>${device.kind}</span>
        </span>
        <ol>${laneStops.map(([fact, label, hint]) => this.#renderCell(facts?.get(fact), fact, label, hint))}</ol>
      </div>
    `;
  }

  #renderCell(at: number | undefined, fact: LaneStop, label: string, hint: string): TemplateResult {
    const time = this.#after(at);
    // Nobody keeps, for each reader of a broadcast, that a frame was written.
    const isUnknown = fact === "written" && this.#trip?.audience === null;
    return html`
      <li class=${time === nothing ? "" : "reached"} title=${hint}>
        ${isUnknown ? html`<span class="quiet">–</span>` : html`<span class="stop-dot"></span>`}
        <span class="hidden">${label}</span>
        <span class="stop-time">${time}</span>
      </li>
    `;
  }

  #after(at: number | undefined): string | typeof nothing {
    return at === undefined || !this.#trip ? nothing : span(at - this.#trip.sentAt);
  }

  #hear(deed: Deed): void {
    if (this.#trip?.alertId === null) this.#early.push(deed);
    else this.#trip?.hear(deed);
  }
}

function clock(at: number | undefined): string | typeof nothing {
  return at === undefined ? nothing : new Date(at).toLocaleTimeString(undefined, { hour12: false });
}

customElements.define("demo-journey", DemoJourney);

declare global {
  interface HTMLElementTagNameMap {
    "demo-journey": DemoJourney;
  }
}
