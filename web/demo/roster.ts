/** The devices that are live in this browser, as they last told of themselves. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type Device, type News, onNews, type Pulse, pulseMs } from "./news.ts";
import { people } from "./people.ts";

/** Hidden windows have slow timers; whoever is silent for longer was ended without a word. */
const goneAfterMs = 35 * pulseMs;
const personOrder = people.map(({ id }): string => id);

/** Keeps the roster for one element, and draws it anew when a device's standing changes. */
export class Roster implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #pulses = new Map<string, Pulse>();
  #stop: (() => void) | undefined;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  /** Every live device, by person. */
  get pulses(): readonly Pulse[] {
    const oldest = Date.now() - goneAfterMs;
    return [...this.#pulses.values()]
      .filter(({ at }) => at > oldest)
      .sort((a, b) => rank(a.device) - rank(b.device) || (a.device.kind < b.device.kind ? -1 : 1));
  }

  hostConnected(): void {
    this.#stop = onNews((news) => this.#hear(news));
  }

  hostDisconnected(): void {
    this.#stop?.();
  }

  #hear(news: News): void {
    if (news.type !== "pulse" && news.type !== "farewell") return;
    const key = `${news.device.id} ${news.device.person}`;
    if (news.type === "pulse") this.#pulses.set(key, news);
    else this.#pulses.delete(key);
    this.#host.requestUpdate();
  }
}

function rank({ person }: Device): number {
  return personOrder.indexOf(person);
}
