import {
  html,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { openInboxEvent } from "../../push/opening.ts";
import { ClientElement } from "../client-element.ts";
import { bell } from "../icons.ts";
import { theme } from "../theme.ts";
import { styles } from "./bell.styles.ts";

const panelWidth = 400;
const gap = 8;

/**
 * @summary A bell with a badge of unseen alerts; it opens the inbox, and opening marks them seen.
 *
 * On phones the inbox rises from the lower edge. The badge counts what has not been seen; reading is
 * another thing.
 *
 * @csspart button The bell itself.
 * @csspart panel The popover that holds the inbox.
 * @cssproperty --tocsin-bell-ring The ring around the badge; set it to what lies behind the bell.
 */
export class TocsinBell extends ClientElement {
  static override styles = [theme, styles];
  static override properties: PropertyDeclarations = { isOpen: { state: true } };

  declare protected isOpen: boolean;
  readonly #place = () => this.#placePanel();
  readonly #openOnRequest = () => this.show();
  readonly #seeOnReturn = () => this.#markSeen();

  constructor() {
    super();
    this.isOpen = false;
  }

  /** Open the inbox. */
  show(): void {
    this.#panel?.showPopover?.();
  }

  /** Close the inbox. */
  hide(): void {
    this.#panel?.hidePopover?.();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener(openInboxEvent, this.#openOnRequest);
    document.addEventListener("visibilitychange", this.#seeOnReturn);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener(openInboxEvent, this.#openOnRequest);
    document.removeEventListener("visibilitychange", this.#seeOnReturn);
    this.#follow(false);
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("view") || changed.has("isOpen")) this.#markSeen();
  }

  protected override render(): TemplateResult {
    const unseen = this.view?.counts.unseen ?? 0;
    const { say } = this.language;
    const label =
      unseen === 0 ? say("Notifications") : say("Notifications, {n} new", { n: unseen });
    return html`
      <button
        part="button" class="bell" type="button" popovertarget="panel"
        aria-label=${label} aria-haspopup="dialog" aria-expanded=${this.isOpen}
      >
        ${bell}
        ${unseen === 0 ? nothing : html`<span class="badge" aria-hidden="true">${unseen > 99 ? "99+" : unseen}</span>`}
      </button>
      <div
        part="panel" class="panel" id="panel" popover="auto" role="dialog" aria-label=${say("Notifications")}
        @beforetoggle=${this.#place} @toggle=${this.#toggled}
      >
        ${this.isOpen ? html`<tocsin-inbox .client=${this.inUse ?? undefined} theme=${this.theme ?? nothing} passive></tocsin-inbox>` : nothing}
      </div>
    `;
  }

  get #panel(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>("#panel");
  }

  #toggled(event: Event): void {
    this.isOpen = (event as ToggleEvent).newState === "open";
    this.#follow(this.isOpen);
  }

  /** Keep the panel below the bell while the page scrolls or is resized. */
  #follow(isOpen: boolean): void {
    const change = isOpen ? addEventListener : removeEventListener;
    change("resize", this.#place);
    change("scroll", this.#place, { capture: true });
  }

  #placePanel(): void {
    const { right, bottom } = this.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const furthest = Math.max(gap, width - panelWidth - gap);
    const fromRight = Math.min(Math.max(gap, width - right), furthest);
    this.#panel?.style.setProperty("--_top", `${Math.round(bottom + gap)}px`);
    this.#panel?.style.setProperty("--_right", `${Math.round(fromRight)}px`);
  }

  #markSeen(): void {
    if (this.isOpen && document.visibilityState === "visible") this.inUse?.markAllSeen();
  }
}
