import {
  html,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { AlertAction, TocsinClient, View, ViewItem } from "../../core/index.ts";
import { choices } from "../alert-actions.styles.ts";
import { ClientElement } from "../client-element.ts";
import { ClockController } from "../clock-controller.ts";
import { checkCheck } from "../icons.ts";
import { tellPress } from "../press.ts";
import { iconButton, severityMark, theme } from "../theme.ts";
import { ArrivalMarks } from "./arrival-marks.ts";
import { allRead, nothingYet, offlineLine, skeleton, unreachable } from "./inbox.states.ts";
import { styles } from "./inbox.styles.ts";
import { rowStyles } from "./row.styles.ts";
import { type RowActions, renderRow } from "./row.ts";

type Tab = "all" | "unread";

/** A short word at the lower edge, perhaps with a way back. */
interface Notice {
  readonly text: string;
  readonly undo?: () => void;
}

const noticeMs = 8_000;
const nobody: ReadonlySet<string> = new Set();

/**
 * @summary The inbox: what came, newest first, with read, archive, delete and undo.
 *
 * Keys on a row: arrow up and down, Home and End move; R turns read and unread; E archives; Delete
 * deletes. What is shown on a visible page counts as seen, unless the attribute `passive` is set.
 *
 * @attr {boolean} passive Showing it does not mark anything seen.
 * @fires {CustomEvent<{alert_id, action}>} tocsin-action One of the alert's own buttons was pressed.
 * @fires {CustomEvent<ViewItem>} tocsin-open A row was opened; its link, if it has one, is followed.
 */
export class TocsinInbox extends ClientElement {
  static override styles = [theme, severityMark, iconButton, choices, styles, rowStyles];
  static override properties: PropertyDeclarations = {
    passive: { type: Boolean, reflect: true },
    tab: { state: true },
    menuOf: { state: true },
    notice: { state: true },
    wantsOlder: { state: true },
  };

  declare passive: boolean;
  declare protected tab: Tab;
  declare protected menuOf: string | null;
  declare protected notice: Notice | null;
  declare protected wantsOlder: boolean;
  readonly #arrivals = new ArrivalMarks();
  #fresh = nobody;
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #seeOnReturn = () => this.#markSeen();
  readonly #actions: RowActions = {
    open: (item) => this.#open(item),
    press: (item, action) => this.#press(item, action),
    toggleRead: (item) => this.#toggleRead(item),
    archive: (item) => this.#archive(item),
    remove: (item) => this.#remove(item),
    toggleMenu: ({ id }) => {
      this.menuOf = this.menuOf === id ? null : id;
    },
  };

  constructor() {
    super();
    this.passive = false;
    this.tab = "all";
    this.menuOf = null;
    this.notice = null;
    this.wantsOlder = false;
    new ClockController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#seeOnReturn);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#seeOnReturn);
    clearTimeout(this.#noticeTimer);
  }

  protected override subscribe(client: TocsinClient): (() => void)[] {
    const tellRefusal = () =>
      this.#tell({
        text: this.language.say("That alert has changed meanwhile; nothing was done."),
      });
    return [client.on("refused", tellRefusal)];
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!changed.has("view")) return;
    const isAtTop = (this.renderRoot.querySelector(".list")?.scrollTop ?? 0) < 8;
    if (this.view?.position) this.#fresh = this.#arrivals.next(this.view.items, isAtTop);
    if ((changed.get("view") as View | null)?.end !== this.view?.end) this.wantsOlder = false;
  }

  protected override updated(): void {
    this.#markSeen();
  }

  protected override render(): TemplateResult {
    return html`
      ${this.#renderHeader()}
      ${this.isOffline && this.view?.position ? offlineLine(this.view.as_of, this.language) : nothing}
      <div class="list" id="list" role="tabpanel" aria-labelledby=${this.tab} @keydown=${this.#onKey}>
        ${this.#renderList()}
      </div>
      <div role="status">${this.#renderNotice()}</div>
    `;
  }

  #renderHeader(): TemplateResult {
    const unread = this.view?.counts.unread ?? 0;
    const { say } = this.language;
    return html`
      <header>
        <div role="tablist" aria-label=${say("Which alerts")} @keydown=${this.#turnTab}>
          ${this.#renderTab("all", html`${say("All")}`)}
          ${this.#renderTab("unread", html`${say("Unread")}${unread === 0 ? nothing : html`<span class="count">${unread}</span>`}`)}
        </div>
        <button
          class="icon-button" type="button" aria-label=${say("Mark all as read")} title=${say("Mark all as read")}
          ?disabled=${unread === 0} @click=${() => this.inUse?.markAllRead()}
        >${checkCheck}</button>
      </header>
    `;
  }

  #renderTab(tab: Tab, label: TemplateResult): TemplateResult {
    const isSelected = this.tab === tab;
    return html`
      <button
        role="tab" type="button" id=${tab} aria-controls="list" aria-selected=${isSelected}
        tabindex=${isSelected ? 0 : -1} @click=${() => this.#select(tab)}
      >${label}</button>
    `;
  }

  #select(tab: Tab): void {
    this.tab = tab;
  }

  #turnTab(event: KeyboardEvent): void {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    this.#select(this.tab === "all" ? "unread" : "all");
    this.renderRoot.querySelector<HTMLElement>(`#${this.tab}`)?.focus();
  }

  #renderList(): TemplateResult {
    if (!this.view?.position)
      return this.isOffline
        ? unreachable(() => this.inUse?.hurry(), this.language)
        : skeleton(this.language);
    const items = this.#shown();
    const now = Date.now();
    return html`
      ${items.length > 0 || !this.view.complete ? nothing : this.#renderEmpty()}
      <ul>
        ${repeat(
          items,
          (item) => item.id,
          (item) =>
            renderRow(
              item,
              {
                now,
                language: this.language,
                isFresh: this.#fresh.has(item.alert_id),
                isMenuOpen: this.menuOf === item.id,
              },
              this.#actions,
            ),
        )}
      </ul>
      ${this.view.complete ? nothing : this.#renderOlder()}
    `;
  }

  #renderOlder(): TemplateResult {
    const load = () => {
      this.wantsOlder = true;
      this.inUse?.loadOlder();
    };
    return html`
      <div class="older">
        <button class="text-button" type="button" ?disabled=${this.wantsOlder} @click=${load}>
          ${this.language.say(this.wantsOlder ? "Loading older alerts" : "Show older alerts")}
        </button>
      </div>
    `;
  }

  #renderEmpty(): TemplateResult {
    return this.tab === "all"
      ? nothingYet(this.language)
      : allRead(() => this.#select("all"), this.language);
  }

  #renderNotice(): TemplateResult | typeof nothing {
    if (!this.notice) return nothing;
    const { text, undo } = this.notice;
    const takeBack = () => {
      undo?.();
      this.notice = null;
    };
    return html`
      <div class="notice">
        <span>${text}</span>
        ${undo ? html`<button type="button" @click=${takeBack}>${this.language.say("Undo")}</button>` : nothing}
      </div>
    `;
  }

  #shown(): readonly ViewItem[] {
    const items = this.view?.items ?? [];
    return this.tab === "all" ? items : items.filter((item) => !item.read);
  }

  #open(item: ViewItem): void {
    this.menuOf = null;
    if (!item.read) this.inUse?.markRead(item);
    this.dispatchEvent(
      new CustomEvent("tocsin-open", { detail: item, bubbles: true, composed: true }),
    );
  }

  #press(item: ViewItem, action: AlertAction): void {
    tellPress(this, this.inUse, item, action);
    if (!action.url)
      this.#tell({ text: this.language.say("{action}: sent", { action: action.label }) });
    this.#open(item);
  }

  #toggleRead(item: ViewItem): void {
    this.menuOf = null;
    if (item.read) this.inUse?.markUnread(item);
    else this.inUse?.markRead(item);
  }

  #archive(item: ViewItem): void {
    this.#leave(item);
    this.inUse?.archive(item);
    this.#tell({ text: this.language.say("Archived"), undo: () => this.inUse?.unarchive(item) });
  }

  #remove(item: ViewItem): void {
    this.#leave(item);
    this.inUse?.remove(item);
    this.#tell({ text: this.language.say("Deleted"), undo: () => this.inUse?.restore(item) });
  }

  /** A row goes: the one that takes its place gets the focus it had. */
  #leave(item: ViewItem): void {
    this.menuOf = null;
    const titles = this.#titles();
    const index = titles.findIndex((title) => title.closest("li")?.dataset.id === item.id);
    const hadFocus = titles[index]?.closest("li")?.matches(":focus-within");
    if (hadFocus) (titles[index + 1] ?? titles[index - 1])?.focus();
  }

  #tell(notice: Notice): void {
    this.notice = notice;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => {
      this.notice = null;
    }, noticeMs);
  }

  #onKey(event: KeyboardEvent): void {
    const row = (event.target as Element).closest("li");
    const item = this.#shown().find(({ id }) => id === row?.dataset.id);
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.#moveFocus(event.key, item) || this.#actByKey(event.key, item)) event.preventDefault();
  }

  #moveFocus(key: string, item: ViewItem): boolean {
    const titles = this.#titles();
    const index = titles.findIndex((title) => title.closest("li")?.dataset.id === item.id);
    const target = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: titles.length - 1 }[
      key
    ];
    if (target === undefined) return false;
    titles[target]?.focus();
    return true;
  }

  #actByKey(key: string, item: ViewItem): boolean {
    if (key === "r") this.#toggleRead(item);
    else if (key === "e") this.#archive(item);
    else if (key === "Delete") this.#remove(item);
    else return false;
    return true;
  }

  #titles(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>(".title")];
  }

  #markSeen(): void {
    if (!this.isConnected || document.visibilityState !== "visible") return;
    for (const item of this.#shown()) if (!item.read) this.inUse?.tell(item, "shown");
    if (!this.passive) this.inUse?.markAllSeen();
  }
}
