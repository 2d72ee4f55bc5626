/** One row of the inbox. */

import { html, nothing, type TemplateResult } from "lit";
import { type AlertAction, exactTime, relativeTime, type ViewItem } from "../../core/index.ts";
import { alertActions } from "../alert-actions.ts";
import { linkTarget } from "../alert-links.ts";
import { archive, mail, mailOpen, more, trash } from "../icons.ts";
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
}

export function renderRow(item: ViewItem, look: RowLook, actions: RowActions): TemplateResult {
  const classes = `row ${item.read ? "read" : "unread"} ${look.isFresh ? "fresh" : ""}`;
  return html`
    <li class=${classes} data-id=${item.id}>
      ${severityIcon(item.alert.severity)}
      <div>
        <div class="head">${renderTitle(item, actions)}${renderMeta(item, look.now)}</div>
        ${item.alert.body ? html`<p class="body" dir="auto">${item.alert.body}</p>` : nothing}
        ${alertActions(item.alert, (action) => actions.press(item, action))}
      </div>
      ${renderActions(item, look, actions)}
      <button
        class="icon-button more" type="button" aria-label="Actions" aria-expanded=${look.isMenuOpen}
        @click=${() => actions.toggleMenu(item)}
      >${more}</button>
    </li>
  `;
}

function renderTitle(item: ViewItem, actions: RowActions): TemplateResult {
  const link = linkTarget(item.alert.url);
  const open = () => actions.open(item);
  const text = html`${item.read ? nothing : html`<span class="hidden">Unread: </span>`}${item.alert.title}`;
  return link
    ? html`<a class="title" dir="auto" href=${link.href} target=${link.target} rel=${link.rel} @click=${open}>${text}</a>`
    : html`<button class="title" dir="auto" type="button" @click=${open}>${text}</button>`;
}

function renderMeta(item: ViewItem, now: number): TemplateResult {
  const time = Date.parse(item.alert.created_at);
  const shown = Number.isNaN(time) ? Math.floor(item.sort / 1_000) : time;
  return html`
    <span class="meta">
      <time datetime=${item.alert.created_at} title=${exactTime(shown)}>${relativeTime(shown, now)}</time>
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
  return html`
    <div class="actions" ?data-open=${look.isMenuOpen}>
      ${item.read ? button("Mark as unread", mail, actions.toggleRead) : button("Mark as read", mailOpen, actions.toggleRead)}
      ${button("Archive", archive, actions.archive)}
      ${button("Delete", trash, actions.remove)}
    </div>
  `;
}
