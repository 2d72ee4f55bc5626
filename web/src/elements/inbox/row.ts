/** One row of the inbox. */

import { html, nothing, type TemplateResult } from "lit";
import { type AlertAction, exactTime, relativeTime, type ViewItem } from "../../core/index.ts";
import { alertActions } from "../alert-actions.ts";
import { linkTarget } from "../alert-links.ts";
import { archive, mail, mailOpen, more, trash } from "../icons.ts";
import type { Language } from "../language.ts";
import { severityIcon } from "../severity.ts";

/** What the user may do to a row. */
export interface RowActions {
  readonly open: (item: ViewItem) => void;
  readonly press: (item: ViewItem, action: AlertAction) => void;
  readonly toggleRead: (item: ViewItem) => void;
  readonly archive: (item: ViewItem) => void;
  readonly remove: (item: ViewItem) => void;
  readonly toggleMenu: (item: ViewItem) => void;
}

export interface RowLook {
  /** It came while the list was being looked at: it slides in. */
  readonly isFresh: boolean;
  /** Its actions are open (on touch). */
  readonly isMenuOpen: boolean;
  readonly now: number;
  readonly language: Language;
}

export function renderRow(item: ViewItem, look: RowLook, actions: RowActions): TemplateResult {
  const classes = `row ${item.read ? "read" : "unread"} ${look.isFresh ? "fresh" : ""}`;
  return html`
    <li class=${classes} data-id=${item.id}>
      ${severityIcon(item.alert.severity, look.language)}
      <div>
        <div class="head">${renderTitle(item, look, actions)}${renderMeta(item, look)}</div>
        ${item.alert.body ? html`<p class="body" dir="auto">${item.alert.body}</p>` : nothing}
        ${alertActions(item.alert, (action) => actions.press(item, action))}
      </div>
      ${renderActions(item, look, actions)}
      <button
        class="icon-button more" type="button" aria-label=${look.language.say("Actions")} aria-expanded=${look.isMenuOpen}
        @click=${() => actions.toggleMenu(item)}
      >${more}</button>
    </li>
  `;
}

function renderTitle(item: ViewItem, { language }: RowLook, actions: RowActions): TemplateResult {
  const link = linkTarget(item.alert.url);
  const open = () => actions.open(item);
  const text = html`${item.read ? nothing : html`<span class="hidden">${language.say("Unread")}: </span>`}${item.alert.title}`;
  return link
    ? html`<a class="title" dir="auto" href=${link.href} target=${link.target} rel=${link.rel} @click=${open}>${text}</a>`
    : html`<button class="title" dir="auto" type="button" @click=${open}>${text}</button>`;
}

function renderMeta(item: ViewItem, { now, language: { tag } }: RowLook): TemplateResult {
  const time = Date.parse(item.alert.created_at);
  const shown = Number.isNaN(time) ? Math.floor(item.sort / 1_000) : time;
  return html`
    <span class="meta">
      <time datetime=${item.alert.created_at} title=${exactTime(shown, tag)}>${relativeTime(shown, now, tag)}</time>
      ${item.read ? nothing : html`<span class="dot"></span>`}
    </span>
  `;
}

function renderActions(item: ViewItem, look: RowLook, actions: RowActions): TemplateResult {
  const button = (label: string, icon: TemplateResult, act: (item: ViewItem) => void) => html`
    <button class="icon-button" type="button" aria-label=${label} title=${label} @click=${() => act(item)}>
      ${icon}
    </button>
  `;
  const { say } = look.language;
  return html`
    <div class="actions" ?data-open=${look.isMenuOpen}>
      ${item.read ? button(say("Mark as unread"), mail, actions.toggleRead) : button(say("Mark as read"), mailOpen, actions.toggleRead)}
      ${button(say("Archive"), archive, actions.archive)}
      ${button(say("Delete"), trash, actions.remove)}
    </div>
  `;
}
