import {
  html,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import type { AlertAction, InboxView, TocsinClient, ViewItem } from "../../core/index.ts";
import { choices } from "../alert-actions.styles.ts";
import { ClientElement, ClockController } from "../client-element.ts";
import { arrowUp } from "../icons.ts";
import { tellPress } from "../press.ts";
import { iconButton, severityMark, theme } from "../theme.ts";
import { type Act, carryOut, isLeaving } from "./acts.ts";
import { Archived } from "./archived.ts";
import { Arrivals } from "./arrivals.ts";
import { renderFilter, renderHeader, renderSelection, type Tab } from "./inbox.header.ts";
import { renderGroups } from "./inbox.list.ts";
import * as states from "./inbox.states.ts";
import { styles } from "./inbox.styles.ts";
import { actOf, type Command, commandOf, goesTo } from "./keys.ts";
import { anything, type Filter, isNarrow } from "./listing.ts";
import { menuStyles } from "./menu.styles.ts";
import { MenuController } from "./menu-controller.ts";
import type { MenuActions } from "./menu-entries.ts";
import { NoticeController } from "./notice-controller.ts";
import { rowStyles } from "./row.styles.ts";
import type { RowActions } from "./row.ts";
import { RowWindow } from "./row-window.ts";
import { Rows } from "./rows.ts";
import { Selection } from "./selection.ts";

/** The next page is asked for when the end of the list is this near, in pixels. */
const nearEndPx = 600;

/**
 * @summary The inbox: what came, newest first, under its days; read, snooze, archive, delete, and back.
 *
 * What is shown on a visible page counts as seen, unless the attribute `passive` is set. The keys are on the
 * map that `?` shows while a row has the focus.
 *
 * @attr {"inline" | "page"} variant `inline` (default) fills the box it stands in and scrolls inside it;
 *   `page` is as high as the window, with its rows in a column in the middle.
 * @attr {boolean} passive Showing it does not mark anything seen.
 * @fires {CustomEvent<{alert_id, action}>} tocsin-action One of the alert's own buttons was pressed.
 * @fires {CustomEvent<ViewItem>} tocsin-open A row was opened; its link, if it has one, is followed.
 * @csspart header The bar with the tabs, or with what to do with the rows that are chosen.
 * @csspart list What scrolls.
 */
export class TocsinInbox extends ClientElement {
  static override styles = [
    theme,
    severityMark,
    iconButton,
    choices,
    styles,
    rowStyles,
    menuStyles,
  ];
  static override properties: PropertyDeclarations = {
    variant: { reflect: true },
    passive: { type: Boolean, reflect: true },
    tab: { state: true },
    filter: { state: true },
    isFilterOpen: { state: true },
    selection: { state: true },
    current: { state: true },
    wantsOlder: { state: true },
  };

  declare variant: "inline" | "page" | undefined;
  declare passive: boolean;
  declare protected tab: Tab;
  declare protected filter: Filter;
  declare protected isFilterOpen: boolean;
  declare protected selection: Selection;
  /** The row that has the focus, or had it last. */
  declare protected current: string | null;
  declare protected wantsOlder: boolean;
  readonly #window = new RowWindow(this);
  readonly #menu = new MenuController(this);
  readonly #notice = new NoticeController(this);
  readonly #archived = new Archived(() => this.requestUpdate());
  readonly #arrivals = new Arrivals();
  readonly #rows = new Rows();
  #hadFocus = false;
  readonly #seeOnReturn = () => this.#markSeen();

  constructor() {
    super();
    this.passive = false;
    this.tab = "all";
    this.filter = anything;
    this.isFilterOpen = false;
    this.selection = Selection.none;
    this.current = null;
    this.wantsOlder = false;
    new ClockController(this);
  }

  /** Focus the row that had it last, or the first one, or the tabs where there is none. */
  override focus(options?: FocusOptions): void {
    const stop = this.renderRoot.querySelector<HTMLElement>(".title[tabindex='0']");
    (stop ?? this.renderRoot.querySelector<HTMLElement>("[role=tab][tabindex='0']"))?.focus(
      options,
    );
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#seeOnReturn);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#seeOnReturn);
  }

  protected override subscribe(client: TocsinClient): (() => void)[] {
    const phrase = "That alert has changed meanwhile; nothing was done.";
    return [client.on("refused", () => this.#notice.tell({ phrase }))];
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    this.#hadFocus = this.#hasFocus;
    if (changed.has("view")) this.#take(changed.get("view") as InboxView | null);
    this.#rows.arrange(this.#all, this.tab, this.filter, this.language);
    this.selection = this.selection.among(this.#rows.order);
  }

  protected override updated(): void {
    this.#markSeen();
    // What had the focus is gone, perhaps on another device.
    if (this.#hadFocus && !this.#hasFocus) this.focus();
  }

  protected override render(): TemplateResult {
    const { view, language } = this;
    return html`
      ${this.selection.size > 0 ? this.#renderSelection() : this.#renderHeader()}
      ${this.isOffline && view?.position ? states.lineState(language, view) : nothing}
      <div class="stage">
        <div
          part="list" class="list" id="list" role="tabpanel" aria-labelledby=${this.tab} tabindex="-1"
          @keydown=${this.#onKey} @focusin=${this.#onFocus} @scroll=${this.#onScroll}
        >${this.#renderList()}</div>
        <div role="status">${this.#arrivals.missed === 0 ? nothing : this.#renderPill()}</div>
      </div>
      ${this.#notice.render(language)}
      ${this.#menu.render(this.tab === "archived", language, this.#menuActions)}
    `;
  }

  #renderHeader(): TemplateResult {
    const { tab, filter, isFilterOpen, language } = this;
    const look = { tab, unread: this.view?.counts.unread ?? 0, filter, isFilterOpen, language };
    const header = renderHeader(look, {
      selectTab: (tab) => this.#selectTab(tab),
      toggleFilter: () => {
        this.isFilterOpen = !isFilterOpen;
      },
      readAll: () => this.#readAll(),
    });
    return html`${header}${renderFilter(look, this.#all, (filter) => {
      this.filter = filter;
      this.#toTop();
    })}`;
  }

  #renderSelection(): TemplateResult {
    const { selection, tab, language } = this;
    const chosen = selection.size;
    const isArchived = tab === "archived";
    return renderSelection(
      { chosen, outOf: this.#rows.order.length, isArchived, language },
      {
        all: () => {
          this.selection = selection.all(this.#rows.order);
          if (this.selection.size === 0) this.#clearSelection();
        },
        clear: () => this.#clearSelection(),
        act: (act) => this.#act(act, this.#chosen()),
        openSnooze: (button) => this.#menu.open("snooze", this.#chosen(), button),
      },
    );
  }

  #renderList(): TemplateResult {
    const { language, tab } = this;
    const isArchived = tab === "archived";
    const waiting = isArchived && this.#rows.items.length === 0 ? this.#archived.standing : "ready";
    const missing = states.instead(this.view, this.isOffline, waiting, language, {
      hurry: () => this.inUse?.hurry(),
      fetch: this.#fetch,
    });
    if (missing) return missing;
    const part = this.#window.part(this.#rows.order);
    const drawn = this.#rows.order.slice(part.from, part.to);
    const look = {
      fresh: this.#arrivals.fresh,
      selection: this.selection,
      tabStop: drawn.find((id) => id === this.current) ?? drawn[0],
      isArchived,
      now: Date.now(),
      language,
    };
    return html`
      ${drawn.length === 0 && this.#isComplete ? this.#renderEmpty() : nothing}
      ${renderGroups(this.#rows.groups, part, look, this.#rowActions)}
      ${this.#isComplete ? nothing : this.#renderOlder()}
    `;
  }

  #renderOlder(): TemplateResult {
    const { say } = this.language;
    return html`
      <div class="older">
        <button class="text-button" type="button" ?disabled=${this.wantsOlder} @click=${this.#loadOlder}>
          ${say(this.wantsOlder ? "Loading older alerts" : "Load more")}
        </button>
      </div>
    `;
  }

  #renderEmpty(): TemplateResult {
    return states.empty(this.tab, isNarrow(this.filter), this.language, {
      show: (tab) => this.#selectTab(tab),
      clear: () => {
        this.filter = anything;
      },
    });
  }

  #renderPill(): TemplateResult {
    const press = () => {
      this.#toTop();
      void this.#go(0);
    };
    const text = this.language.say("{n} new", { n: this.#arrivals.missed });
    return html`<button class="pill" type="button" @click=${press}>${arrowUp}${text}</button>`;
  }

  /** What changed with the view: rows that came, a page that was asked for, acts that are done. */
  #take(before: InboxView | null): void {
    const { view } = this;
    if (before?.end !== view?.end) this.wantsOlder = false;
    if (this.tab === "archived" && before?.pending && !view?.pending) this.#fetch();
    const isInSight = this.#window.isAtTop && this.tab !== "archived";
    if (view?.position) this.#arrivals.take(view.items, isInSight);
  }

  get #all(): readonly ViewItem[] {
    return this.tab === "archived" ? this.#archived.items : (this.view?.items ?? []);
  }

  get #isComplete(): boolean {
    return this.tab === "archived" ? this.#archived.isComplete : (this.view?.complete ?? false);
  }

  readonly #fetch = (): void => {
    void this.#archived.load(this.inUse);
  };

  #selectTab(tab: Tab): void {
    this.tab = tab;
    this.current = null;
    this.selection = Selection.none;
    this.#rows.forgetRead();
    this.#toTop();
    if (tab === "archived") this.#fetch();
    void this.updateComplete.then(() => this.#element(`#${tab}`)?.focus());
  }

  #toTop(): void {
    this.#window.toTop();
    this.#arrivals.seen();
    this.requestUpdate();
  }

  #loadOlder(): void {
    if (this.tab === "archived") {
      void this.#archived.loadOlder();
    } else {
      this.wantsOlder = true;
      this.inUse?.loadOlder();
    }
  }

  readonly #onScroll = (event: Event): void => {
    const { scrollTop, scrollHeight, clientHeight } = event.target as HTMLElement;
    this.#window.scrolled();
    if (this.#window.isAtTop && this.#arrivals.seen()) this.requestUpdate();
    const isNearEnd = scrollHeight - scrollTop - clientHeight < nearEndPx;
    if (isNearEnd && !this.#isComplete && !this.wantsOlder) this.#loadOlder();
  };

  readonly #rowActions: RowActions = {
    open: (item) => this.#open(item),
    press: (item, action) => this.#press(item, action),
    act: (act, item) => this.#act(act, [item]),
    select: ({ id }, isRange) => this.#select(id, isRange),
    openMenu: (kind, item, button) => this.#menu.open(kind, [item], button),
  };

  readonly #menuActions: MenuActions = {
    act: (act, until) => this.#act(act, this.#menu.items, until),
    readOlder: () => this.#readOlder(this.#menu.items[0]),
    select: () => {
      const [item] = this.#menu.items;
      this.#menu.close();
      if (item) this.#select(item.id, false);
    },
    openSnooze: () => this.#menu.open("snooze", this.#menu.items, this.#besideCurrent),
    openKeys: () => this.#menu.open("keys", [], this.#besideCurrent),
  };

  #open(item: ViewItem): void {
    this.#rows.keep([item]);
    if (!item.read) this.inUse?.markRead(item);
    this.dispatchEvent(
      new CustomEvent("tocsin-open", { detail: item, bubbles: true, composed: true }),
    );
  }

  #press(item: ViewItem, action: AlertAction): void {
    tellPress(this, this.inUse, item, action);
    if (!action.url) {
      this.#notice.tell({ phrase: "{action}: sent", values: { action: action.label } });
    }
    this.#open(item);
  }

  #act(act: Act, items: readonly ViewItem[], until?: number): void {
    if (!this.inUse || items.length === 0) return;
    this.#menu.close();
    if (act === "read") this.#rows.keep(items);
    if (isLeaving(act)) this.#leave(items);
    const notice = carryOut(this.inUse, act, items, until);
    if (notice) this.#notice.tell(notice);
    if (isLeaving(act)) this.selection = Selection.none;
  }

  #readAll(): void {
    this.#rows.forgetRead();
    if (isNarrow(this.filter)) this.#act("read", this.#rows.unread());
    else this.inUse?.markAllRead();
  }

  #readOlder(item: ViewItem | undefined): void {
    if (item)
      this.#act(
        "read",
        this.#rows.unread().filter(({ sort }) => sort <= item.sort),
      );
  }

  /** Rows go: the one that takes the place of the first gets the focus they had. */
  #leave(gone: readonly ViewItem[]): void {
    this.current = this.#rows.neighbourOf(gone);
    if (this.tab === "archived") this.#archived.drop(gone);
    if (this.#hasFocus) this.#focusCurrent();
  }

  #select(id: string, isRange: boolean): void {
    this.selection = isRange
      ? this.selection.upTo(id, this.#rows.order)
      : this.selection.toggled(id);
  }

  #chosen(): readonly ViewItem[] {
    return this.#rows.among(this.selection);
  }

  #clearSelection(): void {
    this.selection = Selection.none;
    this.#focusCurrent();
  }

  readonly #onFocus = (event: Event): void => {
    const row = (event.target as Element).closest<HTMLElement>("[data-key]");
    if (row) this.current = row.dataset.key ?? null;
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    const command = commandOf(event);
    if (!command || !this.#obey(command)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  /** @returns Whether there was something to do. */
  #obey(command: Command): boolean {
    const index = this.#rows.order.indexOf(this.current ?? "");
    const target = goesTo(command, index, this.#rows.order.length);
    if (target !== null) void this.#go(target);
    else if (command === "all") this.selection = this.selection.all(this.#rows.order);
    else if (command === "help") this.#menu.open("keys", [], this.#besideCurrent);
    else if (command !== "clear") this.#obeyOn(command, this.#rows.items[index]);
    else if (this.selection.size > 0) this.#clearSelection();
    else return false;
    return true;
  }

  /** Do what a key says to the rows that are chosen, or to the one with the focus. */
  #obeyOn(command: Command, item: ViewItem | undefined): void {
    if (!item) return;
    const chosen = this.#chosen();
    const items = chosen.length > 0 ? chosen : [item];
    const isArchived = this.tab === "archived";
    const act = actOf(command, items[0]?.read ?? false, isArchived);
    if (act) this.#act(act, items);
    else if (command === "select" || command === "range")
      this.#select(item.id, command === "range");
    else if (command === "older") this.#readOlder(item);
    else if (!isArchived) this.#menu.open("snooze", items, this.#besideCurrent);
  }

  /** Bring the focus to a row, wherever it is. */
  async #go(index: number): Promise<void> {
    const id = this.#rows.order[index];
    if (id === undefined) return;
    this.current = id;
    await this.#window.reveal(id);
    await this.updateComplete;
    this.#focusCurrent();
  }

  get #hasFocus(): boolean {
    return (this.renderRoot as ShadowRoot).activeElement !== null;
  }

  #focusCurrent(): void {
    const row = this.current && this.#element(`[data-key="${CSS.escape(this.current)}"] .title`);
    if (row) row.focus();
    else void this.updateComplete.then(() => this.focus());
  }

  /** What a menu that a key opens stands beside. */
  get #besideCurrent(): Element {
    const row = this.current && this.#element(`[data-key="${CSS.escape(this.current)}"] .head`);
    return row || this;
  }

  #element(selector: string): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(selector);
  }

  /** Rows that are drawn were shown to the person; opening the inbox empties the badge. */
  #markSeen(): void {
    if (!this.isConnected || document.visibilityState !== "visible") return;
    const drawn = this.#window.drawn;
    for (const item of this.#rows.items.slice(drawn.from, drawn.to)) {
      if (!item.read) this.inUse?.tell(item, "shown");
    }
    if (!this.passive) this.inUse?.markAllSeen();
  }
}
