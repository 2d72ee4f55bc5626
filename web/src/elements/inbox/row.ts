/** One row of the inbox. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import {
  type AlertAction,
  clockTime,
  exactTime,
  relativeTime,
  type ViewItem,
} from "../../core/index.ts";
import { alertActions } from "../alert-actions.ts";
import { linkTarget } from "../alert-links.ts";
import { archive, clock, inbox, mail, mailOpen, more, trash } from "../icons.ts";
import type { Language, Phrase } from "../language.ts";
import { severityIcon } from "../severity.ts";
import type { Act } from "./acts.ts";
import { type Command, keyOf } from "./keys.ts";
import { arrivedAt } from "./listing.ts";
import type { WayBack } from "./put-away.ts";

/** What the user may do to a row. */
export interface RowActions {
  readonly open: (item: ViewItem) => void;
  readonly press: (item: ViewItem, action: AlertAction) => void;
  readonly act: (act: Act, item: ViewItem) => void;
  /** `isRange`: and everything from the row chosen last. */
  readonly select: (item: ViewItem, isRange: boolean) => void;
  readonly openMenu: (kind: "row" | "snooze", item: ViewItem, button: HTMLElement) => void;
}

export interface RowLook {
  /** It came while the list was being looked at: it slides in. */
  readonly isFresh: boolean;
  readonly isSelected: boolean;
  readonly wayBack: WayBack | undefined;
  /** Its heading says the day. */
  readonly isDayKnown: boolean;
  /** The one row that Tab comes to. */
  readonly isTabStop: boolean;
  /** Its place among the rows under its heading, which need not all be drawn. */
  readonly place: number;
  readonly outOf: number;
  readonly now: number;
  readonly language: Language;
}

export function renderRow(item: ViewItem, look: RowLook, actions: RowActions): TemplateResult {
  const { say } = look.language;
  const tab = tabIndex(look);
  const classes = `row ${item.read ? "read" : "unread"}${look.isFresh ? " fresh" : ""}${look.isSelected ? " selected" : ""}`;
  const pick = (event: MouseEvent) => actions.select(item, event.shiftKey);
  return html`
    <li class=${classes} data-key=${item.id} aria-setsize=${look.outOf} aria-posinset=${look.place}>
      ${severityIcon(item.alert.severity, look.language)}
      <label class="pick">
        <input
          type="checkbox" tabindex=${tab} aria-label=${say("Select: {title}", { title: item.alert.title })}
          .checked=${live(look.isSelected)} @click=${pick}
        />
      </label>
      <div class="text">
        <div class="head">${renderTitle(item, look, actions)}${renderMeta(item, look)}</div>
        ${item.alert.body ? html`<p class="body" dir="auto">${item.alert.body}</p>` : nothing}
        ${alertActions(item.alert, (action) => actions.press(item, action), tab)}
      </div>
      ${renderActions(item, look, actions)}
    </li>
  `;
}

function tabIndex({ isTabStop }: RowLook): 0 | -1 {
  return isTabStop ? 0 : -1;
}

function renderTitle(item: ViewItem, look: RowLook, actions: RowActions): TemplateResult {
  const link = linkTarget(item.alert.url);
  const open = () => actions.open(item);
  const tab = tabIndex(look);
  const unread = item.read
    ? nothing
    : html`<bdi class="hidden">${look.language.say("Unread")}: </bdi>`;
  const text = html`${unread}<span>${item.alert.title}</span>`;
  return link
    ? html`<a class="title" dir="auto" tabindex=${tab} href=${link.href} target=${link.target} rel=${link.rel} @click=${open}>${text}</a>`
    : html`<button class="title" dir="auto" tabindex=${tab} type="button" @click=${open}>${text}</button>`;
}

/** When it came, or when what is snoozed comes back. */
function renderMeta(item: ViewItem, look: RowLook): TemplateResult {
  const { now, language, isDayKnown } = look;
  const { tag } = language;
  const wakes = look.wayBack === "unsnooze" && item.snoozed_until;
  const at = wakes ? Date.parse(wakes) : arrivedAt(item);
  const since = isDayKnown ? clockTime(at, at, tag) : relativeTime(at, now, tag);
  const text = wakes ? language.say("Until {time}", { time: clockTime(at, now, tag) }) : since;
  return html`
    <span class="meta">
      <time dir="auto" datetime=${new Date(at).toISOString()} title=${exactTime(at, tag)}>${text}</time>
      ${item.read ? nothing : html`<span class="dot"></span>`}
    </span>
  `;
}

/** Buttons that appear over the row; on touch there is only the last one. */
function renderActions(item: ViewItem, look: RowLook, actions: RowActions): TemplateResult {
  const { wayBack, language } = look;
  const { say } = language;
  const tab = tabIndex(look);
  const button = (
    phrase: Phrase,
    command: Command,
    icon: TemplateResult,
    press: (button: HTMLElement) => void,
  ) => html`
    <button
      class="icon-button" type="button" tabindex=${tab} aria-label=${say(phrase)}
      title="${say(phrase)} (${keyOf(command)})"
      @click=${(event: Event) => press(event.currentTarget as HTMLElement)}
    >${icon}</button>
  `;
  const act = (act: Act) => () => actions.act(act, item);
  return html`
    <div class="actions">
      ${
        item.read
          ? button("Mark as unread", "unread", mail, act("unread"))
          : button("Mark as read", "unread", mailOpen, act("read"))
      }
      ${
        wayBack === "unarchive"
          ? nothing
          : button("Snooze", "snooze", clock, (button) => actions.openMenu("snooze", item, button))
      }
      ${
        wayBack
          ? button("Move to the inbox", "archive", inbox, act(wayBack))
          : button("Archive", "archive", archive, act("archive"))
      }
      ${button("Delete", "delete", trash, act("delete"))}
      <button
        class="icon-button more" type="button" tabindex=${tab} aria-haspopup="menu"
        aria-label=${say("Actions")} title=${say("Actions")}
        @click=${(event: Event) => actions.openMenu("row", item, event.currentTarget as HTMLElement)}
      >${more}</button>
    </div>
  `;
}
