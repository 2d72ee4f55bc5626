/** The one menu of the inbox, a popover: where it stands, its keys, and what it is open for. */

import { html, nothing, type ReactiveController, type TemplateResult } from "lit";
import type { ViewItem } from "../../core/index.ts";
import type { ClientElement } from "../client-element.ts";
import type { Language } from "../language.ts";
import { type MenuActions, type MenuKind, renderMenu } from "./menu-entries.ts";
import type { WayBack } from "./put-away.ts";

interface Open {
  readonly kind: MenuKind;
  /** The rows it was opened for. */
  readonly items: readonly ViewItem[];
  readonly anchor: DOMRect;
}

/** Space between the menu, what it belongs to, and the edges of the window, in pixels. */
const gapPx = 4;
const edgePx = 8;

export class MenuController implements ReactiveController {
  readonly #host: ClientElement;
  #open: Open | null = null;
  #isNew = false;
  /** What had the focus before; browsers bring it back from the outermost popover only. */
  #back: HTMLElement | null = null;

  constructor(host: ClientElement) {
    this.#host = host;
    host.addController(this);
  }

  get items(): readonly ViewItem[] {
    return this.#open?.items ?? [];
  }

  /** Show it beside `beside`, with the focus in it; closing brings the focus back. */
  open(kind: MenuKind, items: readonly ViewItem[], beside: Element): void {
    this.close();
    this.#back = this.#focused;
    this.#open = { kind, items, anchor: beside.getBoundingClientRect() };
    this.#isNew = true;
    this.#host.requestUpdate();
  }

  close(): void {
    this.#returnFocus();
    this.#element?.hidePopover?.();
  }

  render(wayBack: WayBack | undefined, language: Language, actions: MenuActions): TemplateResult {
    const open = this.#open;
    const isMap = open?.kind === "keys";
    return html`
      <div
        class="menu" id="menu" popover="auto" role=${isMap ? "dialog" : "menu"} tabindex="-1"
        aria-label=${language.say(isMap ? "Keyboard shortcuts" : "Actions")}
        @keydown=${this.#onKey} @toggle=${this.#onToggle}
      >${open ? renderMenu(open.kind, open.items[0], wayBack, language, actions) : nothing}</div>
    `;
  }

  hostUpdated(): void {
    const [menu, open] = [this.#element, this.#open];
    if (!this.#isNew || !menu || !open) return;
    this.#isNew = false;
    menu.showPopover?.();
    place(menu, open.anchor);
    (menu.querySelector<HTMLElement>("[role=menuitem]") ?? menu).focus();
  }

  get #element(): HTMLElement | null {
    return this.#host.renderRoot.querySelector<HTMLElement>("#menu");
  }

  get #focused(): HTMLElement | null {
    return (this.#host.renderRoot as ShadowRoot).activeElement as HTMLElement | null;
  }

  /** Unless the person has gone elsewhere already. */
  #returnFocus(): void {
    if (this.#element?.contains(this.#focused)) this.#back?.focus();
  }

  readonly #onToggle = (event: Event): void => {
    if ((event as ToggleEvent).newState === "open" || this.#isNew) return;
    if (!this.#focused) this.#back?.focus();
    this.#returnFocus();
    this.#open = null;
    this.#host.requestUpdate();
  };

  /** Arrows, Home and End move between the entries, round the ends; Tab leaves. */
  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key === "Tab") this.close();
    const menu = event.currentTarget as HTMLElement;
    const entries = [...menu.querySelectorAll<HTMLElement>("[role=menuitem]")];
    const { activeElement } = menu.getRootNode() as ShadowRoot;
    const here = entries.indexOf(activeElement as HTMLElement);
    const targets: Record<string, number> = {
      ArrowDown: here + 1,
      ArrowUp: here - 1,
      Home: 0,
      End: -1,
    };
    const target = targets[event.key];
    if (target === undefined || entries.length === 0) return;
    entries.at(target % entries.length)?.focus();
    event.preventDefault();
  };
}

/** Below what it belongs to, or above where there is no room, and inside the window. */
function place(menu: HTMLElement, anchor: DOMRect): void {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const { clientWidth, clientHeight } = document.documentElement;
  const isRightToLeft = getComputedStyle(menu).direction === "rtl";
  const left = isRightToLeft ? anchor.left : anchor.right - width;
  const hasRoomBelow = anchor.bottom + height + edgePx <= clientHeight;
  const top = hasRoomBelow ? anchor.bottom + gapPx : anchor.top - height - gapPx;
  const within = (value: number, most: number) =>
    `${Math.max(edgePx, Math.min(value, most - edgePx))}px`;
  menu.style.setProperty("left", within(left, clientWidth - width));
  menu.style.setProperty("top", within(top, clientHeight - height));
}
