/** One alert on its way: what the server tells of it, and what the devices of this browser told first. */

import type { Deed, Device } from "./news.ts";
import { type Event, standingOf, storyOf } from "./server.ts";

export const trunkStops = [
  ["sent", "Sent", "The producer asks"],
  ["accepted", "Accepted", "On disk, and answered: from here on nothing can lose it"],
  ["stored", "Stored", "In the inbox of everybody it is for"],
] as const;

export const laneStops = [
  ["written", "Written", "Handed to the device’s connection"],
  ["received", "Received", "The device has it"],
  ["shown", "Shown", "Drawn on a visible page"],
  ["seen", "Seen", "Looked at: on view for a second, or the bell was opened"],
  ["read", "Read", "Opened, or marked as read"],
] as const;

export type LaneStop = (typeof laneStops)[number][0];
type Lane = Map<LaneStop, number>;

/** Quick while things happen, then slower, then not at all. */
const pollsMs = [...Array(20).fill(150), ...Array(40).fill(1_000), ...Array(60).fill(5_000)];

export class Trip {
  readonly title: string;
  /** Ids of people; null for everybody. */
  readonly audience: readonly string[] | null;
  readonly sentAt = Date.now();
  /** When each stop before the devices was reached, in milliseconds since 1970. */
  readonly trunk: { accepted?: number; stored?: number } = {};
  /** By device id. */
  readonly lanes = new Map<string, Lane>();
  alertId: string | null = null;
  readonly #owners = new Map<string, string>();
  readonly #changed: () => void;
  #isOver = false;

  constructor(title: string, audience: readonly string[] | null, changed: () => void) {
    this.title = title;
    this.audience = audience;
    this.#changed = changed;
  }

  accepted(alertId: string): void {
    this.alertId = alertId;
    this.trunk.accepted = Date.now();
    this.#changed();
    void this.#follow(alertId);
  }

  end(): void {
    this.#isOver = true;
  }

  hear({ alertId, device, fact, at }: Deed): void {
    if (alertId !== this.alertId) return;
    this.#reach(device.id, device.person, fact, at);
    this.#changed();
  }

  /** Devices that the server tells of and `known` does not hold: other browsers, other machines. */
  strangers(known: ReadonlySet<string>): Device[] {
    const ids = [...this.lanes.keys()].filter((id) => !known.has(id));
    return ids.map((id) => ({ id, person: this.#owners.get(id) ?? "", kind: "elsewhere" }));
  }

  async #follow(alertId: string): Promise<void> {
    for (const ms of pollsMs) {
      if (this.#isOver) return;
      if (this.trunk.stored === undefined) await this.#askStanding(alertId);
      for (const user of this.audience ?? []) this.#take(user, await storyOf(alertId, user));
      this.#changed();
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }

  /** The server's own times: the answers that tell them took longer. */
  async #askStanding(alertId: string): Promise<void> {
    const standing = await standingOf(alertId);
    if (standing?.accepted_at) this.trunk.accepted = Date.parse(standing.accepted_at);
    if (standing?.processed_at) this.trunk.stored = Date.parse(standing.processed_at);
  }

  #take(user: string, events: readonly Event[] | null): void {
    for (const { at, fact, device } of events ?? []) {
      const stop = laneStops.find(([name]) => name === fact)?.[0];
      if (at && device && stop) this.#reach(device, user, stop, Date.parse(at));
    }
  }

  /** The earlier of two reports counts: acknowledgements come about once a second, and say when they came. */
  #reach(device: string, owner: string, stop: LaneStop, at: number): void {
    const lane = this.lanes.get(device) ?? new Map<LaneStop, number>();
    lane.set(stop, Math.min(at, lane.get(stop) ?? at));
    this.lanes.set(device, lane);
    this.#owners.set(device, owner);
  }
}
