/** Whether all devices hold the same, now and after whatever was broken. */

import {
  html,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { type Pulse, tell } from "./news.ts";
import { person } from "./people.ts";
import { PlainElement } from "./plain-element.ts";
import { Roster } from "./roster.ts";
import { span } from "./span.ts";

type State = "equal" | "behind" | "cut" | "reconnecting";

const lines: Record<Pulse["line"], string> = {
  live: "Live",
  reconnecting: "Reconnecting",
  cut: "Offline",
  connecting: "Connecting",
};

export class DemoAgreement extends PlainElement {
  static override properties: PropertyDeclarations = { healedAfterMs: { state: true } };
  declare protected healedAfterMs: number | null;
  readonly #roster = new Roster(this);
  #brokenAt: number | null = null;
  /** Before, lines are new and not broken. */
  #wasEqual = false;

  constructor() {
    super();
    this.healedAfterMs = null;
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const state = stateOf(this.#roster.pulses);
    if (state === "equal") {
      if (this.#brokenAt !== null) this.healedAfterMs = Date.now() - this.#brokenAt;
      this.#brokenAt = null;
      this.#wasEqual = true;
    } else if (this.#wasEqual && state !== "behind") {
      this.#brokenAt ??= Date.now();
      this.healedAfterMs = null;
    }
  }

  protected override render(): TemplateResult {
    const { pulses } = this.#roster;
    const state = stateOf(pulses);
    return html`
      <section class="card agreement" aria-labelledby="agreement-title">
        <h2 id="agreement-title">Try to lose one</h2>
        <table>
          <thead><tr><th>Device</th><th>Line</th><th title="Changes of the own inbox, and of the broadcasts, that the device has">Position</th><th>Unread</th></tr></thead>
          <tbody>${pulses.map(renderDevice)}</tbody>
        </table>
        <p class="verdict" data-state=${state} role="status"><span class="verdict-dot"></span><span>${this.#verdict(state)}</span>
          ${state === "reconnecting" ? html`<button type="button" @click=${() => tell({ type: "hurry" })}>Try now</button>` : nothing}
        </p>
        <p class="quiet small-print">Cut a line, or end the server with <code>kill -9</code>. Send, read, delete. Then start it again.</p>
      </section>
    `;
  }

  #verdict(state: State): string {
    switch (state) {
      case "reconnecting":
        return "No server. Everything is still here; what you do waits.";
      case "cut":
        return "A line is cut. It will catch up by itself.";
      case "behind":
        return "Catching up";
      case "equal":
        return this.healedAfterMs === null
          ? "A person’s devices hold the same"
          : `Healed and the same, after ${span(this.healedAfterMs)}`;
    }
  }
}

function renderDevice(pulse: Pulse): TemplateResult {
  const { device, line, rev, brev, unread, pending } = pulse;
  const { name } = person(device.person);
  return html`
    <tr data-line=${line} data-device=${`${device.person}-${device.kind}`}>
      <th scope="row">
        <span class="lane-name">
          <span class="avatar" data-user=${device.person}>${name.charAt(0)}</span>
          <span>${device.kind}</span>
        </span>
      </th>
      <td class="line">${lines[line]}${pending > 0 ? `, ${pending} to send` : ""}</td>
      <td>${rev}·${brev}</td><td>${unread}</td>
    </tr>
  `;
}

function stateOf(pulses: readonly Pulse[]): State {
  if (pulses.some(({ line }) => line === "reconnecting")) return "reconnecting";
  if (pulses.some(({ line }) => line === "cut")) return "cut";
  if (pulses.length === 0 || pulses.some(({ line }) => line === "connecting")) return "behind";
  const isEqual = pulses.every((pulse) =>
    pulses
      .filter(({ device }) => device.person === pulse.device.person)
      .every((other) => whatItHolds(other) === whatItHolds(pulse)),
  );
  return isEqual ? "equal" : "behind";
}

function whatItHolds({ rev, brev, unseen, unread, pending }: Pulse): string {
  return [rev, brev, unseen, unread, pending].join();
}

customElements.define("demo-agreement", DemoAgreement);
