import {
  html,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import type { InboxView, TocsinClient, ViewItem } from "../../core/index.ts";
import { choices } from "../alert-actions.styles.ts";
import { ClientElement, ClockController } from "../client-element.ts";
import { arrowUp } from "../icons.ts";
import { drawnEvent } from "../on-screen.ts";
import { iconButton, severityMark, theme } from "../theme.ts";
import { Arrivals } from "./arrivals.ts";
import { renderFilter, renderHeader, renderSelection, type Tab } from "./inbox.header.ts";
import { renderGroups } from "./inbox.list.ts";
import * as states from "./inbox.states.ts";
import { styles } from "./inbox.styles.ts";
import { anything, type Filter, isNarrow } from "./listing.ts";
import { menuStyles } from "./menu.styles.ts";
import { MenuController } from "./menu-controller.ts";
import { NoticeController } from "./notice-controller.ts";
import { PutAway, type WayBack, waysBack } from "./put-away.ts";
import { rowStyles } from "./row.styles.ts";
import { RowFocus } from "./row-focus.ts";
import { RowHandling } from "./row-handling.ts";
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
 * @fires tocsin-drawn Its rows were drawn anew; toasts of the page go down for what is in sight.
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
    wantsOlder: { state: true },
  };

  declare variant: "inline" | "page" | undefined;
  declare passive: boolean;
  declare protected tab: Tab;
  declare protected filter: Filter;
  declare protected isFilterOpen: boolean;
  declare protected wantsOlder: boolean;
  /** The last row when older ones were asked for by the button: the focus goes on to the one after it. */
  #olderThan: string | undefined;
  readonly #window = new RowWindow(this);
  readonly #menu = new MenuController(this);
  readonly #notice = new NoticeController(this);
  readonly #putAway = new PutAway(() => this.requestUpdate());
  readonly #arrivals = new Arrivals();
  readonly #rows = new Rows();
  readonly #focus = new RowFocus(this, this.#window);
  readonly #handling = new RowHandling({
    host: this,
    rows: this.#rows,
    putAway: this.#putAway,
    menu: this.#menu,
    notice: this.#notice,
    focus: this.#focus,
    client: () => this.inUse,
    wayBack: () => this.#wayBack,
    filter: () => this.filter,
  });
  readonly #seeOnReturn = () => this.#markSeen();

  constructor() {
    super();
    this.passive = false;
    this.tab = "all";
    this.filter = anything;
    this.isFilterOpen = false;
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
    if (changed.has("view")) this.#take(changed.get("view") as InboxView | null);
    this.#rows.arrange(this.#all, this.tab, this.filter, this.language);
    this.#goOnToOlder();
    this.#handling.selection = this.#handling.selection.among(this.#rows.order);
  }

  protected override updated(): void {
    this.#markSeen();
    this.dispatchEvent(new Event(drawnEvent, { bubbles: true, composed: true }));
  }

  protected override render(): TemplateResult {
    const { view, language } = this;
    return html`
      ${this.#handling.selection.size > 0 ? this.#renderSelection() : this.#renderHeader()}
      ${this.isOffline && view?.position ? states.lineState(language, view) : nothing}
      <div class="stage">
        <div
          part="list" class="list" id="list" role="tabpanel" aria-labelledby=${this.tab} tabindex="-1"
          @keydown=${this.#handling.pressed} @focusin=${this.#focus.came} @scroll=${this.#onScroll}
        >${this.#renderList()}</div>
        <div role="status">${this.#arrivals.missed === 0 ? nothing : this.#renderPill()}</div>
      </div>
      ${this.#notice.render(language)}
      ${this.#menu.render(this.#wayBack, language, this.#handling.menuActions)}
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
      undo: () => this.#notice.undo(),
    });
    return html`${header}${renderFilter(look, this.#all, (filter) => {
      this.filter = filter;
      this.#toTop();
    })}`;
  }

  #renderSelection(): TemplateResult {
    const { language } = this;
    const handling = this.#handling;
    const wayBack = this.#wayBack;
    return renderSelection(
      { chosen: handling.selection.size, outOf: this.#rows.order.length, wayBack, language },
      {
        all: () => {
          handling.selectAll();
          if (handling.selection.size === 0) handling.clearSelection();
        },
        clear: () => handling.clearSelection(),
        act: (act) => handling.act(act, handling.chosen),
        openSnooze: (button) => this.#menu.open("snooze", handling.chosen, button),
      },
    );
  }

  #renderList(): TemplateResult {
    const { language } = this;
    const wayBack = this.#wayBack;
    const waiting = wayBack && this.#rows.items.length === 0 ? this.#putAway.standing : "ready";
    const missing = states.instead(this.view, this.isOffline, waiting, language, {
      hurry: () => this.inUse?.hurry(),
      fetch: this.#fetch,
    });
    if (missing) return missing;
    const part = this.#window.part(this.#rows.order);
    const drawn = this.#rows.order.slice(part.from, part.to);
    const look = {
      fresh: this.#arrivals.fresh,
      selection: this.#handling.selection,
      tabStop: drawn.find((id) => id === this.#focus.current) ?? drawn[0],
      wayBack,
      now: Date.now(),
      language,
    };
    return html`
      ${drawn.length === 0 && this.#isComplete ? this.#renderEmpty() : nothing}
      ${renderGroups(this.#rows.groups, part, look, this.#handling.rowActions)}
      ${this.#isComplete ? nothing : this.#renderOlder()}
    `;
  }

  #renderOlder(): TemplateResult {
    const { say } = this.language;
    return html`
      <div class="older">
        <button class="text-button" type="button" aria-disabled=${this.wantsOlder} @click=${this.#pressOlder}>
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
      void this.#focus.go(this.#rows.order[0]);
    };
    const text = this.language.say("{n} new", { n: this.#arrivals.missed });
    return html`<button class="pill" type="button" @click=${press}>${arrowUp}${text}</button>`;
  }

  /** What changed with the view: rows that came, a page that was asked for, acts that are done. */
  #take(before: InboxView | null): void {
    const { view } = this;
    if (before?.end !== view?.end) this.wantsOlder = false;
    const isAway = this.#wayBack !== undefined;
    if (isAway && before?.pending && !view?.pending) this.#fetch();
    if (isAway && view) this.#putAway.drop(view.items);
    const isInSight = this.#window.isAtTop && !isAway;
    if (view?.position) this.#arrivals.take(view.items, isInSight);
  }

  /** Undefined where the list is the inbox itself. */
  get #wayBack(): WayBack | undefined {
    return waysBack[this.tab];
  }

  get #all(): readonly ViewItem[] {
    return this.#wayBack ? this.#putAway.items : (this.view?.items ?? []);
  }

  get #isComplete(): boolean {
    return this.#wayBack ? this.#putAway.isComplete : (this.view?.complete ?? false);
  }

  readonly #fetch = (): void => {
    void this.#putAway.load(this.inUse, this.tab);
  };

  #selectTab(tab: Tab): void {
    this.tab = tab;
    this.#focus.current = null;
    this.#handling.selection = Selection.none;
    this.#rows.forgetRead();
    this.#toTop();
    if (this.#wayBack) this.#fetch();
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>(`#${tab}`)?.focus(),
    );
  }

  #toTop(): void {
    this.#window.toTop();
    this.#arrivals.seen();
    this.requestUpdate();
  }

  readonly #pressOlder = (): void => {
    this.#olderThan = this.#rows.order.at(-1);
    if (!this.wantsOlder) this.#loadOlder();
  };

  /** Unless the person has left the button meanwhile. */
  #goOnToOlder(): void {
    const { order } = this.#rows;
    const next = this.#olderThan && order[order.indexOf(this.#olderThan) + 1];
    if (!next) return;
    this.#olderThan = undefined;
    if (this.#focus.here?.matches(".older *")) void this.#focus.go(next);
  }

  #loadOlder(): void {
    if (this.#wayBack) {
      void this.#putAway.loadOlder();
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

  /** Also what is not loaded, except of a severity: the server knows no such mark. */
  #readAll(): void {
    const { severity, category } = this.filter;
    this.#rows.forgetRead();
    if (severity) this.#handling.act("read", this.#rows.unread());
    else this.inUse?.markAllRead(category || undefined);
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
