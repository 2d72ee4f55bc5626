/** The page as an app: kept by its service worker, and brought up to date when the person says so. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { trustedAddress } from "../src/push/worker-address.ts";
import { PlainElement } from "./plain-element.ts";

/** What browsers offer that can install the page. */
interface InstallOffer extends globalThis.Event {
  prompt(): Promise<unknown>;
}

export const workerAddress = "/worker.js";

export class DemoInstallation extends PlainElement {
  static override properties: PropertyDeclarations = {
    waiting: { state: true },
    offer: { state: true },
  };
  declare protected waiting: ServiceWorker | null;
  declare protected offer: InstallOffer | null;
  readonly #takeOffer = (event: globalThis.Event) => {
    event.preventDefault();
    this.offer = event as InstallOffer;
  };

  constructor() {
    super();
    this.waiting = null;
    this.offer = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("beforeinstallprompt", this.#takeOffer);
    void this.#keep();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("beforeinstallprompt", this.#takeOffer);
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.waiting) return this.#renderBar("A new version is ready.", "Update", this.#update);
    if (this.offer) return this.#renderBar("This page is an app, too.", "Install", this.#install);
    return nothing;
  }

  #renderBar(text: string, label: string, press: () => void): TemplateResult {
    return html`
      <div class="bar" role="status">
        <span>${text}</span><button class="secondary" type="button" @click=${press}>${label}</button>
      </div>
    `;
  }

  async #keep(): Promise<void> {
    const container = navigator.serviceWorker;
    if (!container) return; // not over plain HTTP, and not in some private windows
    const registration = await container.register(trustedAddress(workerAddress)).catch(() => null);
    if (!registration) return;
    this.#offer(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const { installing } = registration;
      installing?.addEventListener("statechange", () => this.#offer(registration.waiting));
    });
  }

  /** The first worker of a page replaces nothing, and takes over without a question. */
  #offer(waiting: ServiceWorker | null): void {
    this.waiting = navigator.serviceWorker.controller ? waiting : null;
  }

  /** Nothing is lost by the reload: the inbox, what was done to it and what is to be told are on disk. */
  #update(): void {
    const reload = () => location.reload();
    navigator.serviceWorker.addEventListener("controllerchange", reload, { once: true });
    this.waiting?.postMessage("take over");
  }

  #install(): void {
    void this.offer?.prompt();
    this.offer = null;
  }
}

customElements.define("demo-installation", DemoInstallation);
