/** The bars above the list: tabs, the filter, and what to do with the rows that are chosen. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { ViewItem } from "../../core/index.ts";
import {
  archive,
  checkCheck,
  clock,
  close,
  filter as funnel,
  inbox,
  mailOpen,
  trash,
} from "../icons.ts";
import type { Language, Phrase } from "../language.ts";
import { severities } from "../severity.ts";
import type { Act } from "./acts.ts";
import { commandOf } from "./keys.ts";
import { categoriesOf, type Filter, isNarrow } from "./listing.ts";
import { type WayBack, waysBack } from "./put-away.ts";

export const tabs = ["all", "unread", "snoozed", "archived"] as const;
export type Tab = (typeof tabs)[number];

const tabPhrases: Readonly<Record<Tab, Phrase>> = {
  all: "All",
  unread: "Unread",
  snoozed: "Snoozed",
  archived: "Archived",
};

export interface HeaderLook {
  readonly tab: Tab;
  readonly unread: number;
  readonly filter: Filter;
  readonly isFilterOpen: boolean;
  readonly language: Language;
}

export interface HeaderActions {
  readonly selectTab: (tab: Tab) => void;
  readonly toggleFilter: () => void;
  readonly readAll: () => void;
  readonly undo: () => void;
}

export function renderHeader(look: HeaderLook, actions: HeaderActions): TemplateResult {
  const { say } = look.language;
  const index = tabs.indexOf(look.tab);
  const turn = (event: KeyboardEvent) => {
    const isRightToLeft = getComputedStyle(event.currentTarget as HTMLElement).direction === "rtl";
    const forward = isRightToLeft ? -1 : 1;
    const steps: Record<string, number> = { ArrowRight: forward, ArrowLeft: -forward };
    const step = steps[event.key];
    if (step) actions.selectTab(tabs.at((index + step) % tabs.length) ?? "all");
    // The focus is here when the last row has gone.
    if (commandOf(event) === "undo") actions.undo();
  };
  // One that is disabled would lose the focus of whoever has just pressed it.
  const canReadAll = look.unread > 0 && !(look.tab in waysBack);
  return html`
    <header part="header" role="none">
      <div role="tablist" aria-label=${say("Which alerts")} @keydown=${turn}>
        ${tabs.map((tab) => renderTab(tab, look, actions))}
      </div>
      <button
        class="icon-button" type="button" aria-label=${say("Filter")} title=${say("Filter")}
        aria-expanded=${look.isFilterOpen} aria-controls="filters"
        ?data-active=${isNarrow(look.filter)} @click=${actions.toggleFilter}
      >${funnel}</button>
      <button
        class="icon-button" type="button" aria-label=${say("Mark all as read")} title=${say("Mark all as read")}
        aria-disabled=${!canReadAll} @click=${canReadAll ? actions.readAll : nothing}
      >${checkCheck}</button>
    </header>
  `;
}

function renderTab(tab: Tab, look: HeaderLook, actions: HeaderActions): TemplateResult {
  const isSelected = tab === look.tab;
  const count = tab === "unread" && look.unread > 0 ? look.unread : null;
  return html`
    <button
      role="tab" type="button" id=${tab} aria-controls="list" aria-selected=${isSelected}
      tabindex=${isSelected ? 0 : -1} @click=${() => actions.selectTab(tab)}
    >${look.language.say(tabPhrases[tab])}${count === null ? nothing : html` <span class="count">${count.toLocaleString(look.language.tag)}</span>`}</button>
  `;
}

/** Two lists to choose from; categories are those of the alerts that are here. */
export function renderFilter(
  look: HeaderLook,
  items: readonly ViewItem[],
  change: (filter: Filter) => void,
): TemplateResult {
  const { filter, language } = look;
  const { say } = language;
  const choice = (
    name: keyof Filter,
    any: Phrase,
    options: readonly (readonly [string, string])[],
  ) => html`
    <select
      aria-label=${say(any)}
      @change=${(event: Event) => change({ ...filter, [name]: (event.target as HTMLSelectElement).value })}
    >
      <option value="" ?selected=${filter[name] === ""}>${say(any)}</option>
      ${options.map(([value, text]) => html`<option value=${value} ?selected=${filter[name] === value}>${text}</option>`)}
    </select>
  `;
  return html`
    <div class="filters" id="filters" ?hidden=${!look.isFilterOpen}>
      ${choice(
        "severity",
        "Any severity",
        severities.map(({ severity, word }) => [severity, say(word)]),
      )}
      ${choice(
        "category",
        "Any category",
        (look.isFilterOpen ? categoriesOf(items) : []).map((one) => [one, one]),
      )}
    </div>
  `;
}

export interface SelectionLook {
  readonly chosen: number;
  readonly outOf: number;
  readonly wayBack: WayBack | undefined;
  readonly language: Language;
}

export interface SelectionActions {
  readonly all: () => void;
  readonly clear: () => void;
  readonly act: (act: Act) => void;
  readonly openSnooze: (button: HTMLElement) => void;
}

/** Takes the header's place while rows are chosen. */
export function renderSelection(look: SelectionLook, actions: SelectionActions): TemplateResult {
  const { wayBack, language } = look;
  const { say } = language;
  const button = (
    phrase: Phrase,
    icon: TemplateResult,
    press: (button: HTMLElement) => void,
  ) => html`
    <button
      class="icon-button" type="button" aria-label=${say(phrase)} title=${say(phrase)}
      @click=${(event: Event) => press(event.currentTarget as HTMLElement)}
    >${icon}</button>
  `;
  const isAll = look.chosen === look.outOf;
  return html`
    <div part="header" class="chosen" role="toolbar" aria-label=${say("Selected alerts")}>
      <label class="pick-all">
        <input
          type="checkbox" aria-label=${say("Select all")} .checked=${live(isAll)}
          .indeterminate=${live(!isAll)} @change=${actions.all}
        />
      </label>
      <span class="chosen-count">${say("{n} selected", { n: look.chosen })}</span>
      ${button("Mark as read", mailOpen, () => actions.act("read"))}
      ${wayBack === "unarchive" ? nothing : button("Snooze", clock, actions.openSnooze)}
      ${
        wayBack
          ? button("Move to the inbox", inbox, () => actions.act(wayBack))
          : button("Archive", archive, () => actions.act("archive"))
      }
      ${button("Delete", trash, () => actions.act("delete"))}
      ${button("Clear the selection", close, actions.clear)}
    </div>
  `;
}
