/** The last alert's way as a line of dots that fill with times. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { type News, onNews } from "./news.ts";
import { PlainElement } from "./plain-element.ts";
import { type Standing, standingOf } from "./server.ts";

interface Trip {
  readonly title: string;
  readonly sentAt: number;
  readonly acceptedAt?: number;
  readonly processedAt?: number;
  readonly receivedAt?: number;
  readonly readAt?: number;
  readonly devices: readonly string[];
}

const pollMs = 150;
const pollsAtMost = 200;
const stops = [
  ["sentAt", "Sent"],
  ["acceptedAt", "Accepted"],
  ["processedAt", "Stored"],
  ["receivedAt", "Shown"],
  ["readAt", "Read"],
] as const;

export class DemoJourney extends PlainElement {
  static override properties: PropertyDeclarations = { trip: { state: true } };
  declare protected trip: Trip | null;
  #alertId = "";
  /** News may come before the answer that tells the alert's id. */
  #early: News[] = [];

  constructor() {
    super();
    this.trip = null;
    onNews((news) => this.#hear(news));
  }

  /** A new trip begins; the last one is forgotten. */
  begin(title: string): void {
    this.#alertId = "";
    this.#early = [];
    this.trip = { title, sentAt: Date.now(), devices: [] };
  }

  /** The server has it: follow it from here. */
  accepted(alertId: string): void {
    this.#alertId = alertId;
    this.#note({ acceptedAt: Date.now() });
    for (const news of this.#early) this.#hear(news);
    void this.#follow(alertId);
  }

  protected override render(): TemplateResult {
    const trip = this.trip;
    return html`
      <section class="card journey" aria-label="Journey of the last alert">
        <p class="journey-title">
          ${trip ? html`<span class="quiet">Last alert</span> ${trip.title}` : html`<span class="quiet">Send an alert to watch its way</span>`}
        </p>
        <ol>${stops.map(([stop, name]) => this.#renderStop(name, trip?.[stop]))}</ol>
      </section>
    `;
  }

  #renderStop(name: string, at: number | undefined): TemplateResult {
    return html`
      <li class=${at === undefined ? "" : "reached"}>
        <span class="stop-dot"></span>
        <span class="stop-name">${name}</span>
        <span class="stop-time">${at === undefined ? nothing : this.#since(at, name)}</span>
      </li>
    `;
  }

  #since(at: number, name: string): string {
    const ms = at - (this.trip?.sentAt ?? at);
    if (name === "Sent") return new Date(at).toLocaleTimeString(undefined, { hour12: false });
    const took = ms < 10_000 ? `${Math.max(0, ms)} ms` : `${Math.round(ms / 1_000)} s`;
    const devices = this.trip?.devices.length ?? 0;
    return name === "Shown" && devices > 1 ? `${took} · ${devices} devices` : took;
  }

  #hear(news: News): void {
    if (!this.trip) return;
    if (this.#alertId === "") this.#early.push(news);
    if (news.alertId !== this.#alertId) return;
    if (news.what === "read") {
      this.#note({ readAt: this.trip.readAt ?? news.at });
    } else {
      const devices = [...new Set([...this.trip.devices, news.device])];
      this.#note({ receivedAt: this.trip.receivedAt ?? news.at, devices });
    }
  }

  async #follow(alertId: string): Promise<void> {
    for (let poll = 0; poll < pollsAtMost && this.#alertId === alertId; poll += 1) {
      const standing = await standingOf(alertId).catch(() => null);
      if (standing?.state === "processed") {
        if (this.#alertId === alertId) this.#note(timesOf(standing));
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  #note(change: Partial<Trip>): void {
    if (this.trip) this.trip = { ...this.trip, ...change };
  }
}

/** The server's own times: the answers that tell them took longer. */
function timesOf({ accepted_at, processed_at }: Standing): Partial<Trip> {
  return {
    ...(accepted_at && { acceptedAt: Date.parse(accepted_at) }),
    processedAt: processed_at ? Date.parse(processed_at) : Date.now(),
  };
}

customElements.define("demo-journey", DemoJourney);

declare global {
  interface HTMLElementTagNameMap {
    "demo-journey": DemoJourney;
  }
}
