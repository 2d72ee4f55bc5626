/** Reports how one live device stands and what it does, so that the main window can show it. */

import type { TocsinClient, View } from "../src/elements/index.ts";
import { type Device, type Fact, onNews, type Pulse, pulseMs, tell } from "./news.ts";

/** Report until the page ends. `isCut` says whether its line is cut on purpose. */
export function reportFrom(device: Device, client: TocsinClient, isCut: () => boolean): void {
  let wasLive = false;
  const pulse = () => {
    wasLive ||= client.status === "online";
    const broken = isCut() ? "cut" : wasLive ? "reconnecting" : "connecting";
    tell(pulseOf(device, client.status === "online" ? "live" : broken, client.view()));
  };
  const watch = new Deeds(device, client);
  client.on("arrived", (items) => {
    for (const { alert_id } of items) watch.arrived(alert_id);
  });
  client.subscribe((view) => {
    watch.look(view);
    pulse();
  });
  client.on("status", pulse);
  onNews((news) => {
    if (news.type === "hurry") client.hurry();
  });
  setInterval(pulse, pulseMs);
  addEventListener("pagehide", () => tell({ type: "farewell", device }));
  pulse();
}

/** What was done with alerts that arrived while this page was open; each deed is told once. */
class Deeds {
  readonly #device: Device;
  readonly #client: TocsinClient;
  readonly #open = new Map<string, Set<Fact>>();

  constructor(device: Device, client: TocsinClient) {
    this.#device = device;
    this.#client = client;
  }

  arrived(alertId: string): void {
    if (this.#open.has(alertId)) return;
    this.#open.set(alertId, new Set());
    this.#tell(alertId, "received");
    // Toasts are drawn by now, and a hidden page draws no frame.
    requestAnimationFrame(() => {
      if (this.#client.hasTold({ alert_id: alertId }, "shown")) this.#tell(alertId, "shown");
    });
  }

  look(view: View): void {
    for (const { alert_id, seen, read } of view.items) {
      if (seen) this.#tell(alert_id, "seen");
      if (read) this.#tell(alert_id, "read");
    }
  }

  #tell(alertId: string, fact: Fact): void {
    const told = this.#open.get(alertId);
    if (!told || told.has(fact)) return;
    told.add(fact);
    tell({ type: "deed", device: this.#device, alertId, fact, at: Date.now() });
  }
}

function pulseOf(device: Device, line: Pulse["line"], view: View): Pulse {
  const { position, counts, pending } = view;
  const { rev, brev } = position ?? { rev: 0, brev: 0 };
  return { type: "pulse", device, line, rev, brev, ...counts, pending, at: Date.now() };
}
