/** What is done to the rows of the inbox: to one or to those that are chosen; by button, menu or key. */

import type { AlertAction, TocsinClient, ViewItem } from "../../core/index.ts";
import type { ClientElement } from "../client-element.ts";
import { tellPress } from "../press.ts";
import { type Act, carryOut, isLeaving } from "./acts.ts";
import { actOf, type Command, commandOf, goesTo } from "./keys.ts";
import type { Filter } from "./listing.ts";
import type { MenuController } from "./menu-controller.ts";
import type { MenuActions } from "./menu-entries.ts";
import type { NoticeController } from "./notice-controller.ts";
import type { PutAway, WayBack } from "./put-away.ts";
import type { RowActions } from "./row.ts";
import type { RowFocus } from "./row-focus.ts";
import type { Rows } from "./rows.ts";
import { Selection } from "./selection.ts";

/** Of the inbox what rows are handled with. */
interface Parts {
  readonly host: ClientElement;
  readonly rows: Rows;
  readonly putAway: PutAway;
  readonly menu: MenuController;
  readonly notice: NoticeController;
  readonly focus: RowFocus;
  readonly client: () => TocsinClient | null;
  readonly wayBack: () => WayBack | undefined;
  readonly filter: () => Filter;
}

export class RowHandling {
  readonly #parts: Parts;
  #selection = Selection.none;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get selection(): Selection {
    return this.#selection;
  }

  set selection(selection: Selection) {
    if (selection === this.#selection) return;
    this.#selection = selection;
    this.#parts.host.requestUpdate();
  }

  get chosen(): readonly ViewItem[] {
    return this.#parts.rows.among(this.#selection);
  }

  readonly rowActions: RowActions = {
    open: (item) => this.#open(item),
    press: (item, action) => this.#press(item, action),
    act: (act, item) => this.act(act, [item]),
    select: ({ id }, isRange) => this.#select(id, isRange),
    openMenu: (kind, item, button) => this.#parts.menu.open(kind, [item], button),
  };

  readonly menuActions: MenuActions = {
    act: (act, until) => this.act(act, this.#parts.menu.items, until),
    readOlder: () => this.#readOlder(this.#parts.menu.items[0]),
    select: () => {
      const { menu } = this.#parts;
      const [item] = menu.items;
      menu.close();
      if (item) this.#select(item.id, false);
    },
    openSnooze: () => this.#openByKey("snooze", this.#parts.menu.items),
    openKeys: () => this.#openByKey("keys", []),
  };

  /** @param until When snoozed ones come back, in milliseconds since 1970. */
  act(act: Act, items: readonly ViewItem[], until?: number): void {
    const { menu, rows, notice, wayBack } = this.#parts;
    const client = this.#parts.client();
    if (!client || items.length === 0) return;
    menu.close();
    if (act === "read") rows.keep(items);
    // What is snoozed for longer stays among the snoozed.
    const leaves = isLeaving(act) && !(act === "snooze" && wayBack());
    if (leaves) this.#leave(items);
    const said = carryOut(client, act, items, until);
    if (said) notice.tell(said);
    if (leaves) this.selection = Selection.none;
  }

  /** Choose every row, or none if that is what is chosen already. */
  selectAll(): void {
    this.selection = this.#selection.all(this.#parts.rows.order);
  }

  clearSelection(): void {
    this.selection = Selection.none;
    this.#parts.focus.toCurrent();
  }

  /** To be called with every key that is pressed in the list. */
  readonly pressed = (event: KeyboardEvent): void => {
    const command = commandOf(event);
    if (!command || !this.#obey(command)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  /** @returns Whether there was something to do. */
  #obey(command: Command): boolean {
    const { rows, focus, notice } = this.#parts;
    if (command === "undo") return notice.undo();
    const index = rows.order.indexOf(focus.current ?? "");
    const target = goesTo(command, index, rows.order.length);
    if (target !== null) void focus.go(rows.order[target]);
    else if (command === "all") this.selectAll();
    else if (command === "help") this.#openByKey("keys", []);
    else if (command !== "clear") this.#obeyOn(command, rows.items[index]);
    else if (this.#selection.size > 0) this.clearSelection();
    else return false;
    return true;
  }

  /** Do what a key says to the rows that are chosen, or to the one with the focus. */
  #obeyOn(command: Command, item: ViewItem | undefined): void {
    if (!item) return;
    const { chosen } = this;
    const items = chosen.length > 0 ? chosen : [item];
    const wayBack = this.#parts.wayBack();
    const act = actOf(command, items[0]?.read ?? false, wayBack);
    if (act) this.act(act, items);
    else if (command === "select" || command === "range")
      this.#select(item.id, command === "range");
    else if (command === "older") this.#readOlder(item);
    else if (wayBack !== "unarchive") this.#openByKey("snooze", items);
  }

  #openByKey(kind: "snooze" | "keys", items: readonly ViewItem[]): void {
    const { menu, focus } = this.#parts;
    menu.open(kind, items, focus.place);
  }

  #open(item: ViewItem): void {
    const { rows, host } = this.#parts;
    rows.keep([item]);
    if (!item.read) this.#parts.client()?.markRead(item);
    host.dispatchEvent(
      new CustomEvent("tocsin-open", { detail: item, bubbles: true, composed: true }),
    );
  }

  #press(item: ViewItem, action: AlertAction): void {
    const { host, notice } = this.#parts;
    tellPress(host, this.#parts.client(), item, action);
    if (!action.url) notice.tell({ phrase: "{action}: sent", values: { action: action.label } });
    this.#open(item);
  }

  /** Also what is not loaded, except where the list is narrowed to a severity: the server knows no such mark. */
  #readOlder(item: ViewItem | undefined): void {
    const { rows, menu, filter, client, wayBack } = this.#parts;
    if (!item || wayBack()) return;
    const { severity, category } = filter();
    const older = rows.unread().filter(({ sort }) => sort <= item.sort);
    if (severity) {
      this.act("read", older);
      return;
    }
    menu.close();
    rows.keep(older);
    client()?.markReadFrom(item, category || undefined);
  }

  /** Rows go: the one that takes the place of the first gets the focus they had. */
  #leave(gone: readonly ViewItem[]): void {
    const { rows, putAway, focus } = this.#parts;
    focus.current = rows.neighbourOf(gone);
    putAway.drop(gone);
    if (focus.here) focus.toCurrent();
  }

  #select(id: string, isRange: boolean): void {
    this.selection = isRange
      ? this.#selection.upTo(id, this.#parts.rows.order)
      : this.#selection.toggled(id);
  }
}
