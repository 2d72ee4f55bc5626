/** What the inbox shows when it has no rows to show, and the line that says how old they are. */

import { html, nothing, type TemplateResult } from "lit";
import { clockTime, exactTime, type InboxView } from "../../core/index.ts";
import { archive, checkCheck, clock, filter, inbox, offline } from "../icons.ts";
import type { Language, Phrase } from "../language.ts";
import type { Tab } from "./inbox.header.ts";

/** What to do about it. */
interface Remedy {
  readonly phrase: Phrase;
  readonly press: () => void;
}

/** What stands where rows would be; null where there is something to show, or nothing for sure. */
export function instead(
  view: InboxView | null,
  isOffline: boolean,
  fetched: "loading" | "failed" | "ready",
  language: Language,
  remedies: { readonly hurry: () => void; readonly fetch: () => void },
): TemplateResult | null {
  if (view?.position) {
    if (fetched === "loading") return skeleton(language);
    return fetched === "failed" ? unreachable(language, remedies.fetch) : null;
  }
  if (view?.status === "refused" || view?.status === "signed-out") {
    return refused(language, remedies.hurry);
  }
  return isOffline ? unreachable(language, remedies.hurry) : skeleton(language);
}

/** There are no such alerts. */
export function empty(
  tab: Tab,
  isNarrow: boolean,
  language: Language,
  remedies: { readonly show: (tab: Tab) => void; readonly clear: () => void },
): TemplateResult {
  const { show, clear } = remedies;
  const toAll: Remedy = { phrase: "Show all", press: () => show("all") };
  if (isNarrow) {
    return state(language, filter, "No alert matches the filter.", {
      phrase: "Clear",
      press: clear,
    });
  }
  if (tab === "snoozed") return state(language, clock, "What you snooze waits here.", toAll);
  if (tab === "archived") return state(language, archive, "What you archive is kept here.", toAll);
  if (tab === "unread") return state(language, checkCheck, "You have read everything.", toAll);
  const phrase = "Nothing here yet. New alerts appear by themselves.";
  return state(language, inbox, phrase, { phrase: "Show archived", press: () => show("archived") });
}

/** Before the first answer. */
function skeleton({ say }: Language): TemplateResult {
  const bone = html`<div class="bone"></div>`;
  const row = html`<div class="bones">${bone}${bone}${bone}</div>`;
  return html`<div role="status" aria-busy="true"><span class="hidden">${say("Loading")}</span>${[row, row, row, row]}</div>`;
}

/** No answer for a while, and nothing kept from an earlier visit. */
function unreachable(language: Language, press: () => void): TemplateResult {
  const phrase =
    "The alerts cannot be reached right now. They are kept, and this page keeps trying.";
  return state(language, offline, phrase, { phrase: "Try now", press }, "alert");
}

/** This browser is not let in. */
function refused(language: Language, press: () => void): TemplateResult {
  const phrase = "You are not signed in here any more. Sign in again to see your alerts.";
  return state(language, offline, phrase, { phrase: "Try now", press }, "alert");
}

function state(
  { say }: Language,
  icon: TemplateResult,
  phrase: Phrase,
  remedy: Remedy,
  role?: "alert",
): TemplateResult {
  return html`
    <div class="state" role=${role ?? nothing}>
      ${icon}
      <p>${say(phrase)}</p>
      <button class="text-button" type="button" @click=${remedy.press}>${say(remedy.phrase)}</button>
    </div>
  `;
}

/** That the server is not heard, and how old what is shown is. */
export function lineState(
  language: Language,
  { status, as_of }: Pick<InboxView, "status" | "as_of">,
): TemplateResult {
  const isGivenUp = status === "offline";
  const { say, tag } = language;
  const known = isGivenUp
    ? "Offline, up to date as of {time}"
    : "Reconnecting, up to date as of {time}";
  const text =
    as_of === null
      ? say(isGivenUp ? "Offline" : "Reconnecting")
      : language.fill(known, {
          time: html`<time datetime=${new Date(as_of).toISOString()} title=${exactTime(as_of, tag)}>${clockTime(as_of, Date.now(), tag)}</time>`,
        });
  return html`<div class="line" role="status">${offline}<span>${text}</span></div>`;
}
