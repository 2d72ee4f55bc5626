/** What the elements have in common: a client, its newest view, whether it is online, and a language. */

import {
  LitElement,
  type PropertyDeclarations,
  type PropertyValues,
  type ReactiveController,
  type ReactiveControllerHost,
} from "lit";
import type { InboxView, TocsinClient } from "../core/index.ts";
import { type Language, languageOf, nearest, onLanguage } from "./language.ts";
import { onDefaultClient, sharedClient } from "./shared-clients.ts";

/** A line that breaks for less than this is not worth a word, in milliseconds. */
const offlineAfterMs = 3_000;
const redrawEveryMs = 30_000;

/**
 * Finds its client by the property `client`, else by the attributes `token-url` (with `endpoint`,
 * `hub`, `user`), else the page's default client.
 *
 * @attr {string} token-url Your backend's address that answers POST with a client token.
 * @attr {string} endpoint Address of the Tocsin server; default: where the token's URL points.
 * @attr {string} hub Default `default`.
 * @attr {string} user Names the person whose inbox this browser keeps for the next visit.
 * @attr {"light" | "dark"} theme Default: as the system says.
 * @attr {string} lang Default: the nearest `lang` around it, else the browser's language.
 * @cssproperty --tocsin-surface What everything lies on.
 * @cssproperty --tocsin-hover A row under the pointer.
 * @cssproperty --tocsin-border Hairlines.
 * @cssproperty --tocsin-text Titles and texts.
 * @cssproperty --tocsin-quiet Times, and what was read.
 * @cssproperty --tocsin-accent Unread marks, focus rings, and the button that is meant to be pressed.
 * @cssproperty --tocsin-on-accent Text on the accent.
 * @cssproperty --tocsin-info The mark of severity `info`.
 * @cssproperty --tocsin-success The mark of severity `success`.
 * @cssproperty --tocsin-warning The mark of severity `warning`.
 * @cssproperty --tocsin-error The mark of severity `error`.
 * @cssproperty --tocsin-shadow Below what floats.
 * @cssproperty --tocsin-font The typeface. Default: the system's own.
 */
export abstract class ClientElement extends LitElement {
  static override properties: PropertyDeclarations = {
    client: { attribute: false },
    endpoint: {},
    tokenUrl: { attribute: "token-url" },
    hub: {},
    user: {},
    theme: { reflect: true },
    inUse: { state: true },
    view: { state: true },
    isOffline: { state: true },
  };

  declare client: TocsinClient | undefined;
  declare endpoint: string | undefined;
  declare tokenUrl: string | undefined;
  declare hub: string | undefined;
  declare user: string | undefined;
  declare theme: "light" | "dark" | undefined;
  declare protected inUse: TocsinClient | null;
  declare protected view: InboxView | null;
  declare protected isOffline: boolean;
  protected language: Language = languageOf(this);
  #isTurned = false;
  #stopLanguage: (() => void) | undefined;
  #stops: (() => void)[] = [];
  #offlineTimer: ReturnType<typeof setTimeout> | undefined;
  #stopDefault: (() => void) | undefined;

  constructor() {
    super();
    this.inUse = null;
    this.view = null;
    this.isOffline = false;
  }

  static override get observedAttributes(): string[] {
    // biome-ignore lint/complexity/noThisInStatic: each subclass observes its own attributes too.
    return [...super.observedAttributes, "lang"];
  }

  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value);
    this.requestUpdate();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopLanguage = onLanguage(() => this.requestUpdate());
    if (this.hasUpdated) this.#find();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopLanguage?.();
    this.#stopDefault?.();
    this.#use(null);
  }

  protected override willUpdate(changed: PropertyValues): void {
    this.#speak();
    const sources = ["client", "endpoint", "tokenUrl", "hub", "user"] as const;
    if (!this.hasUpdated || sources.some((name) => changed.has(name))) this.#find();
  }

  /** Told once for every client in use; returns what to stop when it is not used any more. */
  protected subscribe(_client: TocsinClient): (() => void)[] {
    return [];
  }

  #speak(): void {
    this.language = languageOf(this);
    if (this.#isTurned) this.removeAttribute("dir");
    // A page that says nothing of directions is not left-to-right on purpose.
    this.#isTurned = this.language.words?.dir === "rtl" && !nearest(this, "dir");
    if (this.#isTurned) this.dir = "rtl";
  }

  #find(): void {
    this.#stopDefault?.();
    const found = this.client ?? sharedClient(this);
    if (found) this.#use(found);
    else this.#stopDefault = onDefaultClient((client) => this.#use(client));
  }

  #use(client: TocsinClient | null): void {
    if (client === this.inUse) return;
    for (const stop of this.#stops) stop();
    clearTimeout(this.#offlineTimer);
    this.#stops = [];
    this.inUse = client;
    this.view = client?.view() ?? null;
    this.isOffline = false;
    if (!client) return;
    this.#stops = [
      client.subscribe((view) => {
        this.view = view;
      }),
      client.on("status", () => this.#watchLine(client)),
      ...this.subscribe(client),
    ];
    this.#watchLine(client);
  }

  #watchLine(client: TocsinClient): void {
    clearTimeout(this.#offlineTimer);
    if (client.status === "online") {
      this.isOffline = false;
      return;
    }
    this.#offlineTimer = setTimeout(() => {
      this.isOffline = true;
    }, offlineAfterMs);
  }
}

/** Redraws its host now and then, so that "2 min" becomes "3 min". */
export class ClockController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.#timer = setInterval(() => this.#host.requestUpdate(), redrawEveryMs);
  }

  hostDisconnected(): void {
    clearInterval(this.#timer);
  }
}
