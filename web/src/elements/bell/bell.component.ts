import {
  html,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { openInboxEvent } from "../../push/opening.ts";
import { ClientElement } from "../client-element.ts";
import { bell, close } from "../icons.ts";
import type { TocsinInbox } from "../inbox/inbox.component.ts";
import { loadInbox } from "../on-demand.ts";
import { iconButton, theme } from "../theme.ts";
import { styles } from "./bell.styles.ts";
import { placeBeside } from "./place.ts";

const phone = "(max-width: 480px)";
/** The page comes first; then the inbox is loaded, unless somebody wants it sooner, in milliseconds. */
const loadAfterMs = 1_000;

/**
 * @summary A bell with a badge of unseen alerts; it opens the inbox, and opening marks them seen.
 *
 * The badge counts what has not been seen; reading is another thing. The focus goes into the inbox and comes
 * back to the bell; Escape, a press outside and leaving it by Tab close it.
 *
 * @attr {"auto" | "popover" | "drawer"} opens `popover` stands beside the bell, `drawer` is as high as the
 *   window; `auto` (default) is a drawer on a phone.
 * @csspart button The bell itself.
 * @csspart panel The popover or drawer that holds the inbox.
 * @cssproperty --tocsin-bell-ring The ring around the badge; set it to what lies behind the bell.
 */
export class TocsinBell extends ClientElement {
  static override styles = [theme, iconButton, styles];
  static override properties: PropertyDeclarations = { opens: {}, isOpen: { state: true } };

  declare opens: "auto" | "popover" | "drawer" | undefined;
  declare protected isOpen: boolean;
  #loadTimer: ReturnType<typeof setTimeout> | undefined;
  /** Without the network it is tried again when the bell is pressed. */
  readonly #load = () => loadInbox().catch(() => undefined);
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
    this.#loadTimer = setTimeout(this.#load, loadAfterMs);
    document.addEventListener(openInboxEvent, this.#openOnRequest);
    document.addEventListener("visibilitychange", this.#seeOnReturn);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#loadTimer);
    document.removeEventListener(openInboxEvent, this.#openOnRequest);
    document.removeEventListener("visibilitychange", this.#seeOnReturn);
    this.#follow(false);
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("view") || changed.has("isOpen")) this.#markSeen();
    if (changed.has("isOpen") && this.isOpen) void this.#focusInbox();
  }

  protected override render(): TemplateResult {
    const unseen = this.view?.counts.unseen ?? 0;
    const { say } = this.language;
    const n = unseen > 99 ? "99+" : unseen;
    const label = unseen === 0 ? say("Notifications") : say("Notifications, {n} new", { n });
    return html`
      <button
        part="button" class="bell" type="button" popovertarget="panel"
        aria-label=${label} aria-haspopup="dialog" aria-expanded=${this.isOpen} @pointerenter=${this.#load}
      >
        ${bell}
        ${unseen === 0 ? nothing : html`<span class="badge" aria-hidden="true">${n}</span>`}
      </button>
      <div
        part="panel" class="panel" id="panel" popover="auto" role="dialog" aria-label=${say("Notifications")}
        @beforetoggle=${this.#place} @toggle=${this.#toggled} @focusout=${this.#leave}
      >${this.isOpen ? this.#renderInbox() : nothing}</div>
    `;
  }

  #renderInbox(): TemplateResult {
    const { say } = this.language;
    return html`
      <div class="bar">
        <span>${say("Notifications")}</span>
        <button class="icon-button" type="button" aria-label=${say("Close")} @click=${() => this.hide()}>${close}</button>
      </div>
      <tocsin-inbox
        .client=${this.inUse ?? undefined} theme=${this.theme ?? nothing} lang=${this.lang || nothing} passive
      ></tocsin-inbox>
    `;
  }

  get #panel(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>("#panel");
  }

  #toggled(event: Event): void {
    this.isOpen = (event as ToggleEvent).newState === "open";
    this.#follow(this.isOpen);
    const { activeElement } = this.getRootNode() as Document | ShadowRoot;
    const isElsewhere = activeElement && activeElement !== this && activeElement !== document.body;
    if (!this.isOpen && !isElsewhere) this.renderRoot.querySelector<HTMLElement>(".bell")?.focus();
  }

  async #focusInbox(): Promise<void> {
    await this.#load();
    const inbox = this.renderRoot.querySelector<TocsinInbox>("tocsin-inbox");
    await inbox?.updateComplete;
    inbox?.focus({ preventScroll: true });
  }

  /** Nothing on the page gets the focus while it lies below the panel. */
  #leave({ relatedTarget }: FocusEvent): void {
    if (relatedTarget && !this.#panel?.contains(relatedTarget as Node)) this.hide();
  }

  /** Keep the panel at the bell while the page scrolls or is resized. */
  #follow(isOpen: boolean): void {
    const change = isOpen ? addEventListener : removeEventListener;
    change("resize", this.#place);
    change("scroll", this.#place, { capture: true });
  }

  #placePanel(): void {
    const panel = this.#panel;
    if (!panel) return;
    const isDrawer =
      this.opens === "drawer" || (this.opens !== "popover" && matchMedia(phone).matches);
    panel.classList.toggle("drawer", isDrawer);
    placeBeside(panel, isDrawer ? null : this.getBoundingClientRect());
  }

  #markSeen(): void {
    if (this.isOpen && document.visibilityState === "visible") this.inUse?.markAllSeen();
  }
}
