/** What the menus say: of a row, the times to snooze for, and the map of the keys. */

import { html, nothing, type TemplateResult } from "lit";
import type { ViewItem } from "../../core/index.ts";
import type { Language, Phrase } from "../language.ts";
import type { Act } from "./acts.ts";
import { bindings, type Command, keyOf } from "./keys.ts";
import type { WayBack } from "./put-away.ts";
import { snoozeTimes } from "./snooze-times.ts";

export type MenuKind = "row" | "snooze" | "keys";

/** What a menu may ask for, of the rows it was opened for. */
export interface MenuActions {
  readonly act: (act: Act, until?: number) => void;
  readonly select: () => void;
  readonly readOlder: () => void;
  readonly openSnooze: () => void;
  readonly openKeys: () => void;
}

/** @param item The row; of several, the first. */
export function renderMenu(
  kind: MenuKind,
  item: ViewItem | undefined,
  wayBack: WayBack | undefined,
  language: Language,
  actions: MenuActions,
): TemplateResult | typeof nothing {
  if (kind === "keys") return renderKeys(language);
  if (!item) return nothing;
  return kind === "snooze"
    ? renderTimes(language, actions)
    : renderRowMenu(item, wayBack, language, actions);
}

function renderRowMenu(
  item: ViewItem,
  wayBack: WayBack | undefined,
  { say }: Language,
  actions: MenuActions,
): TemplateResult {
  const entry = (phrase: Phrase, command: Command, press: () => void) => html`
    <button role="menuitem" tabindex="-1" type="button" @click=${press}>
      <span>${say(phrase)}</span><kbd>${keyOf(command)}</kbd>
    </button>
  `;
  return html`
    ${
      item.read
        ? entry("Mark as unread", "unread", () => actions.act("unread"))
        : entry("Mark as read", "unread", () => actions.act("read"))
    }
    ${wayBack ? nothing : entry("Mark this and all older as read", "older", actions.readOlder)}
    ${wayBack === "unarchive" ? nothing : entry("Snooze", "snooze", actions.openSnooze)}
    ${
      wayBack
        ? entry("Move to the inbox", "archive", () => actions.act(wayBack))
        : entry("Archive", "archive", () => actions.act("archive"))
    }
    ${entry("Delete", "delete", () => actions.act("delete"))}
    <hr />
    ${entry("Select", "select", actions.select)}
    ${entry("Keyboard shortcuts", "help", actions.openKeys)}
  `;
}

function renderTimes({ say, tag }: Language, actions: MenuActions): TemplateResult {
  const form = new Intl.DateTimeFormat(tag, {
    weekday: "short",
    hour: "numeric",
    minute: "2-digit",
  });
  return html`${snoozeTimes(Date.now()).map(
    ({ phrase, at }) => html`
      <button role="menuitem" tabindex="-1" type="button" @click=${() => actions.act("snooze", at)}>
        <span>${say(phrase)}</span><span class="when">${form.format(at)}</span>
      </button>
    `,
  )}`;
}

function renderKeys({ say }: Language): TemplateResult {
  return html`
    <h2 class="keys-title">${say("Keyboard shortcuts")}</h2>
    <dl class="keys">
      <div><dt>${say("Open")}</dt><dd><kbd>Enter</kbd></dd></div>
      ${bindings.map(
        ({ phrase, command }) =>
          html`<div><dt>${say(phrase)}</dt><dd><kbd>${keyOf(command)}</kbd></dd></div>`,
      )}
    </dl>
  `;
}
