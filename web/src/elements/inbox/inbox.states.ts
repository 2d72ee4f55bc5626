/** What the inbox shows when it has no rows to show, and the line that says it is offline. */

import { html, type TemplateResult } from "lit";
import { clockTime, exactTime } from "../../core/index.ts";
import { checkCheck, inbox, offline } from "../icons.ts";
import type { Language } from "../language.ts";

/** Before the first answer. */
export function skeleton({ say }: Language): TemplateResult {
  const bone = html`<div class="bone"></div>`;
  const row = html`<div class="bones">${bone}${bone}${bone}</div>`;
  return html`<div aria-busy="true" aria-label=${say("Loading")}>${[row, row, row, row]}</div>`;
}

/** No answer for a while, and nothing kept from an earlier visit. */
export function unreachable(retry: () => void, { say }: Language): TemplateResult {
  return html`
    <div class="state" role="alert">
      ${offline}
      <p>${say("The alerts cannot be reached right now. They are kept, and this page keeps trying.")}</p>
      <button class="text-button" type="button" @click=${retry}>${say("Try now")}</button>
    </div>
  `;
}

export function nothingYet({ say }: Language): TemplateResult {
  return html`<div class="state">${inbox}<p>${say("Nothing here yet. New alerts appear by themselves.")}</p></div>`;
}

export function allRead(showAll: () => void, { say }: Language): TemplateResult {
  return html`
    <div class="state">
      ${checkCheck}
      <p>${say("You have read everything.")}</p>
      <button class="text-button" type="button" @click=${showAll}>${say("Show all")}</button>
    </div>
  `;
}

/** @param asOf When the server last said something, in milliseconds since 1970. */
export function offlineLine(asOf: number | null, language: Language): TemplateResult {
  const { say, tag } = language;
  const text =
    asOf === null
      ? say("Offline")
      : language.fill("Offline, up to date as of {time}", {
          time: html`<time title=${exactTime(asOf, tag)}>${clockTime(asOf, Date.now(), tag)}</time>`,
        });
  return html`<div class="offline" role="status">${offline}<span>${text}</span></div>`;
}
