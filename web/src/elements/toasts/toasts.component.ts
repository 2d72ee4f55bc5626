import {
  html,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { AlertAction, Arrived, TocsinClient } from "../../core/index.ts";
import { openInboxEvent } from "../../push/opening.ts";
import { choices } from "../alert-actions.styles.ts";
import { alertActions } from "../alert-actions.ts";
import { linkTarget } from "../alert-links.ts";
import { ClientElement } from "../client-element.ts";
import { FocusKeeper } from "../focus-keeper.ts";
import { FocusReturn } from "../focus-return.ts";
import { bellRing, close } from "../icons.ts";
import { drawnEvent, isOnScreen } from "../on-screen.ts";
import { tellPress } from "../press.ts";
import { severityIcon } from "../severity.ts";
import { Sightings } from "../sightings.ts";
import { iconButton, severityMark, theme } from "../theme.ts";
import { followSwipe } from "./swipe.ts";
import { ToastQueue } from "./toast-queue.ts";
import { styles } from "./toasts.styles.ts";

const phone = "(max-width: 480px)";
/** So long a text waits for a screen reader to take it up, in milliseconds. */
const spokenMs = 10_000;
const titlesInSummary = 3;

/** On a phone a stack would cover what the person does. */
function mostNow(): number {
  return matchMedia(phone).matches ? 1 : 3;
}

/**
 * @summary Shows alerts as they arrive, in a corner, for as long as it takes to read them.
 *
 * What waited in the inbox before the page connected is not shown, nor what an open inbox of the page
 * shows. A toast read on another device goes. When many come at once, one summary stands for them.
 *
 * F8 goes to the newest toast, and Escape back to where the focus was. One with buttons of its own
 * stays for two minutes, a critical one until it is closed; no time passes while somebody points at
 * one, is in one, or cannot see the page. By touch they can be thrown out sideways.
 *
 * @attr {"bottom-right" | "bottom-left" | "top-right" | "top-left"} position Default: where lines end,
 *   at the bottom. Phones show one at a time, at the lower edge.
 * @attr {string} shortcut The key that goes to the newest toast, as `KeyboardEvent.key` names it.
 *   Default `F8`.
 * @attr {string} sounds The severities that sound, with blanks between, or `all`. Default: none. Browsers
 *   let a page sound only after somebody has pressed something on it.
 * @csspart toast One toast, or the summary of many.
 * @csspart more The button "+n more".
 * @fires {CustomEvent<{alert_id, action}>} tocsin-action One of the alert's own buttons was pressed.
 * @fires tocsin-open-inbox "+n more" or the summary was pressed; the page's bell opens.
 * @cssproperty --tocsin-toasts-layer The z-index. Default 1000.
 */
export class TocsinToasts extends ClientElement {
  static override styles = [theme, severityMark, iconButton, choices, styles];
  static override properties: PropertyDeclarations = {
    position: { reflect: true },
    shortcut: {},
    sounds: {},
  };

  declare position: string | undefined;
  declare shortcut: string;
  declare sounds: string | undefined;
  readonly #queue = new ToastQueue(() => this.requestUpdate(), mostNow);
  /** What has arrived, and that an inbox may be about to draw. */
  readonly #arriving = new Set<Arrived>();
  /** Alerts on show that the view had, so that their absence means they are gone. */
  readonly #held = new Set<string>();
  #spoken: readonly Arrived[] = [];
  #silence: ReturnType<typeof setTimeout> | undefined;
  readonly #focus = new FocusReturn();
  readonly #sightings = new Sightings((alert_id, fact) => this.inUse?.tell({ alert_id }, fact));
  readonly #watchPage = () => {
    this.#hold("hidden", document.visibilityState !== "visible");
    this.#look();
  };
  readonly #dropDrawn = () => {
    this.#queue.dismiss(isDrawn);
    for (const item of this.#arriving) if (isDrawn(item)) this.#arriving.delete(item);
  };
  readonly #enterByKey = (event: KeyboardEvent) => {
    if (event.key !== this.shortcut || !this.#toasts[0]) return;
    event.preventDefault();
    this.#focus.go(this.#toasts.at(-1));
  };

  constructor() {
    super();
    this.shortcut = "F8";
    new FocusKeeper(this, () => {
      this.#hold("focus", false);
      this.#focus.move(this.#toasts.at(-1));
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#watchPage);
    document.addEventListener("keydown", this.#enterByKey);
    document.addEventListener(drawnEvent, this.#dropDrawn);
    this.#watchPage();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#watchPage);
    document.removeEventListener("keydown", this.#enterByKey);
    document.removeEventListener(drawnEvent, this.#dropDrawn);
    this.#queue.clear();
    this.#sightings.look([]);
  }

  protected override subscribe(client: TocsinClient): (() => void)[] {
    return [client.on("arrived", (items) => this.#add(items)), () => this.#queue.clear()];
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("view")) this.#dropDone();
  }

  protected override updated(): void {
    this.#look();
  }

  protected override render(): TemplateResult {
    const { items } = this.#queue;
    const label = this.language.say("New alerts ({key})", { key: this.shortcut });
    return html`
      <div
        class="stack" role="region" aria-label=${label}
        @pointerenter=${() => this.#hold("pointer", true)} @pointerleave=${() => this.#hold("pointer", false)}
        @focusin=${() => this.#hold("focus", true)} @focusout=${() => this.#hold("focus", false)}
        @keydown=${this.#leaveByKey}
      >
        ${repeat(
          items,
          ({ alert_id }) => alert_id,
          (item) => this.#renderToast(item),
        )}
        ${this.#renderFolded()}
      </div>
      <div class="hidden" role="status" aria-atomic="false">${this.#renderSpoken(false)}</div>
      <div class="hidden" role="alert" aria-atomic="false">${this.#renderSpoken(true)}</div>
    `;
  }

  #renderToast(item: Arrived): TemplateResult {
    const { alert } = item;
    const done = () => this.#queue.dismiss(({ alert_id }) => alert_id === item.alert_id);
    const follow = () => {
      this.inUse?.markRead({ id: idOf(item), alert_id: item.alert_id });
      done();
    };
    const press = (action: AlertAction) => {
      tellPress(this, this.inUse, item, action);
      follow();
    };
    const link = linkTarget(alert.url);
    const title = link
      ? html`<a class="title" dir="auto" href=${link.href} target=${link.target} rel=${link.rel} @click=${follow}>${alert.title}</a>`
      : html`<span class="title" dir="auto">${alert.title}</span>`;
    return html`
      <article
        part="toast" class="toast" data-severity=${alert.severity} tabindex="-1" aria-label=${alert.title}
        @pointerdown=${(event: PointerEvent) => followSwipe(event, done)}
      >
        ${severityIcon(alert.severity, this.language)}
        <div class=${alert.body ? "" : "one-line"}>
          ${title}
          ${alert.body ? html`<p class="body" dir="auto">${alert.body}</p>` : nothing}
          ${alertActions(alert, press)}
        </div>
        ${this.#renderClose(done)}
      </article>
    `;
  }

  /** What is not up itself: one summary of a burst, else how many there are. */
  #renderFolded(): TemplateResult | typeof nothing {
    const { folded, isBurst } = this.#queue;
    const { say } = this.language;
    const n = folded.length;
    if (n === 0) return nothing;
    if (!isBurst) {
      return html`<button part="more" class="more" type="button" @click=${this.#openInbox}>${say("+{n} more", { n })}</button>`;
    }
    const count = say("{n} new alert|{n} new alerts", { n });
    const newest = folded.slice(-titlesInSummary).reverse();
    return html`
      <article part="toast" class="toast summary" tabindex="-1" aria-label=${count}>
        <span class="mark">${bellRing}</span>
        <div>
          <button class="title" dir="auto" type="button" @click=${this.#openInbox}>${count}</button>
          ${newest.map(({ alert }) => html`<p class="body" dir="auto">${alert.title}</p>`)}
        </div>
        ${this.#renderClose(() => this.#queue.dismissFolded())}
      </article>
    `;
  }

  #renderClose(done: () => void): TemplateResult {
    return html`<button
      class="icon-button close" type="button" aria-label=${this.language.say("Close")} @click=${done}
    >${close}</button>`;
  }

  /** What a screen reader says: each once, of a burst only that there is one; critical ones interrupt. */
  #renderSpoken(critical: boolean): unknown {
    const isCritical = ({ alert }: Arrived) => alert.severity === "critical";
    if (!critical && this.#queue.isBurst)
      return html`<p>${this.language.say("Many new alerts. They are in your inbox.")}</p>`;
    return repeat(
      this.#spoken.filter((item) => isCritical(item) === critical),
      ({ alert_id }) => alert_id,
      ({ alert: { title, body } }) => html`<p dir="auto">${body ? `${title}. ${body}` : title}</p>`,
    );
  }

  /** Whoever shows it already is drawn one task later; it may be closed again by then. */
  #add(items: readonly Arrived[]): void {
    for (const item of items) this.#arriving.add(item);
    setTimeout(() => {
      const wanted = items.filter((item) => this.#arriving.delete(item) && !isDrawn(item));
      if (!this.isConnected || wanted.length === 0) return;
      this.#queue.add(wanted);
      void this.#sound(wanted);
      this.#spoken = [...this.#spoken, ...wanted];
      clearTimeout(this.#silence);
      this.#silence = setTimeout(() => {
        this.#spoken = [];
        this.requestUpdate();
      }, spokenMs);
    });
  }

  async #sound(items: readonly Arrived[]): Promise<void> {
    const named = this.sounds?.split(/\s+/) ?? [];
    const heard = items
      .map(({ alert }) => alert.severity)
      .filter((severity) => named.includes("all") || named.includes(severity));
    if (heard.length === 0) return;
    // Without its file they are silent.
    const loaded = await import("../sounds/sounds.ts").catch(() => null);
    loaded?.sound(heard);
  }

  #leaveByKey(event: KeyboardEvent): void {
    if (event.key === "Escape") this.#focus.move(undefined);
  }

  /** Take down what was read, deleted or archived elsewhere. */
  #dropDone(): void {
    const shown = new Map(this.view?.items.map((item) => [item.alert_id, item.read]));
    this.#queue.dismiss(({ alert_id }) => shown.get(alert_id) ?? this.#held.has(alert_id));
    this.#held.clear();
    for (const { alert_id } of [...this.#queue.items, ...this.#queue.folded]) {
      if (shown.has(alert_id)) this.#held.add(alert_id);
    }
  }

  #look(): void {
    this.#sightings.look(this.#queue.items.map(({ alert_id }) => alert_id));
  }

  #hold(reason: string, holds: boolean): void {
    if (holds) this.#queue.hold(reason);
    else this.#queue.release(reason);
  }

  #openInbox(): void {
    this.#queue.clear();
    this.dispatchEvent(new CustomEvent(openInboxEvent, { bubbles: true, composed: true }));
  }

  get #toasts(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>(".toast")];
  }
}

function isDrawn(item: Arrived): boolean {
  return isOnScreen(idOf(item));
}

function idOf(item: Arrived): string {
  return "id" in item ? item.id : item.alert_id;
}
