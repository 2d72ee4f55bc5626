/** A device's line to the server, which can be cut: the page stays, and hears and says nothing. */

import { TocsinClient } from "../src/elements/index.ts";
import type { Device } from "./news.ts";
import type { Person } from "./people.ts";

/** The kind of the main window; the other kinds are frames of it. */
export const mainKind = "browser";

export class Line {
  readonly client: TocsinClient;
  readonly device: Device;
  isCut = false;

  /** Sign in as a demo person. Only the main window is kept for the next visit: a frame is another device. */
  constructor(person: Person, kind: string) {
    const kept = kind === mainKind ? { user: person.id } : { device: frameName(kind) };
    this.client = new TocsinClient({
      endpoint: location.origin,
      tokenUrl: `/demo/session?user=${person.id}`,
      fetch: (...call) =>
        this.isCut ? Promise.reject(new TypeError("the line is cut")) : fetch(...call),
      ...kept,
    });
    this.device = { id: this.client.device, person: person.id, kind };
    this.client.connect();
  }

  cut(): void {
    this.isCut = true;
    void this.client.close();
  }

  mend(): void {
    this.isCut = false;
    this.client.connect();
  }
}

/** Frames share this browser's storage, and yet each is a device with a name of its own. */
function frameName(kind: string): string {
  const place = `tocsin-demo-${kind}`;
  const name = localStorage.getItem(place) ?? crypto.randomUUID();
  localStorage.setItem(place, name);
  return name;
}
