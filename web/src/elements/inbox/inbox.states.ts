/** What the inbox shows when it has no rows to show, and the line that says it is offline. */

import { html, nothing, type TemplateResult } from "lit";
import { clockTime, exactTime } from "../../core/index.ts";
import { checkCheck, inbox, offline } from "../icons.ts";

/** Before the first answer. */
export function skeleton(): TemplateResult {
  const bone = html`<div class="bone"></div>`;
  const row = html`<div class="bones">${bone}${bone}${bone}</div>`;
  return html`<div aria-busy="true" aria-label="Loading">${[row, row, row, row]}</div>`;
}

/** No answer for a while, and nothing kept from an earlier visit. */
export function unreachable(retry: () => void): TemplateResult {
  return html`
    <div class="state" role="alert">
      ${offline}
      <p>The alerts cannot be reached right now. They are kept, and this page keeps trying.</p>
      <button class="text-button" type="button" @click=${retry}>Try now</button>
    </div>
  `;
}

export function nothingYet(): TemplateResult {
  return html`<div class="state">${inbox}<p>Nothing here yet. New alerts appear by themselves.</p></div>`;
}

export function allRead(showAll: () => void): TemplateResult {
  return html`
    <div class="state">
      ${checkCheck}
      <p>You have read everything.</p>
      <button class="text-button" type="button" @click=${showAll}>Show all</button>
    </div>
  `;
}

/** @param asOf When the server last said something, in milliseconds since 1970. */
export function offlineLine(asOf: number | null): TemplateResult {
  const since =
    asOf === null
      ? nothing
      : html`, up to date as of <time title=${exactTime(asOf)}>${clockTime(asOf, Date.now())}</time>`;
  return html`<div class="offline" role="status">${offline}<span>Offline${since}</span></div>`;
}
