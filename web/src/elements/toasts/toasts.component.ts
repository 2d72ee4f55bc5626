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
import { close } from "../icons.ts";
import { tellPress } from "../press.ts";
import { severityIcon } from "../severity.ts";
import { Sightings } from "../sightings.ts";
import { iconButton, severityMark, theme } from "../theme.ts";
import { ToastQueue } from "./toast-queue.ts";
import { styles } from "./toasts.styles.ts";

const phone = "(max-width: 480px)";

/** On a phone a stack would cover what the person does. */
function mostNow(): number {
  return matchMedia(phone).matches ? 1 : 3;
}

/**
 * @summary Shows alerts as they arrive, in a corner, for as long as it takes to read them.
 *
 * What waited in the inbox before the page connected is not shown. A toast read on another device goes.
 *
 * @attr {"bottom-right" | "bottom-left" | "top-right" | "top-left"} position Default `bottom-right`;
 *   phones show one at a time, at the lower edge.
 * @fires {CustomEvent<{alert_id, action}>} tocsin-action One of the alert's own buttons was pressed.
 * @fires tocsin-open-inbox "+n more" was pressed; the page's bell opens.
 * @cssproperty --tocsin-toasts-layer The z-index. Default 1000.
 */
export class TocsinToasts extends ClientElement {
  static override styles = [theme, severityMark, iconButton, choices, styles];
  static override properties: PropertyDeclarations = { position: { reflect: true } };

  declare position: string | undefined;
  readonly #queue = new ToastQueue(() => this.requestUpdate(), mostNow);
  /** Alerts on show that the view had, so that their absence means they are gone. */
  readonly #held = new Set<string>();
  readonly #sightings = new Sightings((alert_id, fact) => this.inUse?.tell({ alert_id }, fact));
  readonly #watchPage = () => {
    this.#hold("hidden", document.visibilityState !== "visible");
    this.#look();
  };

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#watchPage);
    this.#watchPage();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#watchPage);
    this.#queue.clear();
    this.#sightings.look([]);
  }

  protected override subscribe(client: TocsinClient): (() => void)[] {
    return [client.on("arrived", (items) => this.#queue.add(items)), () => this.#queue.clear()];
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("view")) this.#dropDone();
  }

  protected override updated(): void {
    this.#look();
  }

  protected override render(): TemplateResult {
    const { items, more } = this.#queue;
    const { say } = this.language;
    return html`
      <div
        class="stack" role="region" aria-label=${say("New alerts")}
        @pointerenter=${() => this.#hold("pointer", true)} @pointerleave=${() => this.#hold("pointer", false)}
        @focusin=${() => this.#hold("focus", true)} @focusout=${() => this.#hold("focus", false)}
      >
        ${repeat(
          items,
          ({ alert_id }) => alert_id,
          (item) => this.#renderToast(item),
        )}
        ${more === 0 ? nothing : html`<button class="more" type="button" @click=${this.#openInbox}>${say("+{n} more", { n: more })}</button>`}
      </div>
      <div class="hidden" role="status">${spoken(items, false)}</div>
      <div class="hidden" role="alert">${spoken(items, true)}</div>
    `;
  }

  #renderToast(item: Arrived): TemplateResult {
    const { alert } = item;
    const done = () => this.#dismiss(item);
    const follow = () => {
      this.inUse?.markRead({ id: idOf(item), alert_id: item.alert_id });
      done();
    };
    const press = (action: AlertAction) => {
      tellPress(this, this.inUse, item, action);
      follow();
    };
    const link = linkTarget(alert.url);
    return html`
      <article class="toast" data-severity=${alert.severity}>
        ${severityIcon(alert.severity, this.language)}
        <div class=${alert.body ? "" : "one-line"}>
          ${
            link
              ? html`<a class="title" dir="auto" href=${link.href} target=${link.target} rel=${link.rel} @click=${follow}>${alert.title}</a>`
              : html`<span class="title" dir="auto">${alert.title}</span>`
          }
          ${alert.body ? html`<p class="body" dir="auto">${alert.body}</p>` : nothing}
          ${alertActions(alert, press)}
        </div>
        <button class="icon-button close" type="button" aria-label=${this.language.say("Close")} @click=${done}>${close}</button>
      </article>
    `;
  }

  #dismiss(item: Arrived): void {
    this.#queue.dismiss((other) => other.alert_id === item.alert_id);
    this.#hold("focus", false);
  }

  /** Take down what was read, deleted or archived elsewhere. */
  #dropDone(): void {
    const shown = new Map(this.view?.items.map((item) => [item.alert_id, item.read]));
    this.#queue.dismiss(({ alert_id }) => shown.get(alert_id) ?? this.#held.has(alert_id));
    this.#held.clear();
    for (const { alert_id } of this.#queue.items) {
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
}

/** What a screen reader says: the newest one, and only critical ones interrupt. */
function spoken(items: readonly Arrived[], critical: boolean): string {
  const newest = items.findLast(({ alert }) => (alert.severity === "critical") === critical);
  if (!newest) return "";
  const { title, body } = newest.alert;
  return body ? `${title}. ${body}` : title;
}

function idOf(item: Arrived): string {
  return "id" in item ? item.id : item.alert_id;
}
