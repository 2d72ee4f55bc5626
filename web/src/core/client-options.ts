/** What an application says of its client, and what the client finds around itself. */

import type { FindCompany } from "./company.ts";
import type { CoreOptions } from "./machine.ts";
import type { SnapshotStore } from "./store.ts";
import type { TokenProvider } from "./tokens.ts";

export interface ClientOptions {
  /**
   * Your backend's address that answers POST with a client token; asked at the start and whenever one
   * ran out. The service worker asks it, too, while no page is open.
   */
  readonly tokenUrl?: string | undefined;
  /** Gets a client token in another way. Default: asks `tokenUrl`. */
  readonly tokenProvider?: TokenProvider | undefined;
  /**
   * Address of the Tocsin server, e.g. `https://alerts.example.org`. Default: where the client URL
   * points, or the page's own origin when the provider gives a bare token.
   */
  readonly endpoint?: string | undefined;
  /** Only needed with a bare token. Default `default`. */
  readonly hub?: string | undefined;
  /** Names the person whose inbox this browser keeps for the next visit. Default: nothing is kept. */
  readonly user?: string | undefined;
  /** Names this installation in receipts. Default: one made at random and kept by the browser. */
  readonly device?: string | undefined;
  /** Where the inbox of `user` is kept. Default: that of the surroundings. */
  readonly store?: SnapshotStore | undefined;
  /** Gets what is around the client; `inBrowser` has that of a page. Default: nothing is. */
  readonly surroundings?: (() => Promise<Surroundings>) | undefined;
  /** Limits of the core; what is left out has its default. */
  readonly core?: Partial<CoreOptions> | undefined;
  /** Default: the platform's. */
  readonly WebSocket?: typeof WebSocket | undefined;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch | undefined;
}

/** What a client can do without: it keeps nothing then, is alone, and nobody tells it of the page. */
export interface Surroundings {
  readonly store?: SnapshotStore;
  /** Finds the other tabs that keep the same inbox. */
  readonly company?: FindCompany;
  /** Tells when the page is looked at, and when it sleeps; returns how to stop it. */
  readonly watch?: (events: PageEvents) => () => void;
}

export interface PageEvents {
  /** Somebody looks, or the network is back: what is open may be dead all the same. */
  readonly onLook: () => void;
  /** The page goes, or is frozen: nothing runs from here on, perhaps for ever. */
  readonly onSleep: () => void;
  readonly onWake: () => void;
}
