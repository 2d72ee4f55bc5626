/** The icon and the word of each severity. */

import { html, type TemplateResult } from "lit";
import type { Severity } from "../core/index.ts";
import * as icons from "./icons.ts";
import type { Language, Phrase } from "./language.ts";

const marks: Readonly<Record<Severity, { icon: TemplateResult; word: Phrase }>> = {
  info: { icon: icons.info, word: "Info" },
  success: { icon: icons.success, word: "Success" },
  warning: { icon: icons.warning, word: "Warning" },
  error: { icon: icons.error, word: "Error" },
  critical: { icon: icons.critical, word: "Critical" },
};

/** Every severity with its word, the mildest first. */
export const severities = Object.entries(marks).map(([severity, { word }]) => ({ severity, word }));

/** The small mark beside an alert; a severity this version does not know is drawn as info. */
export function severityIcon(severity: Severity, { say }: Language): TemplateResult {
  const { icon, word } = marks[severity] ?? marks.info;
  return html`<span class="mark" data-severity=${severity}>${icon}<span class="hidden">${say(word)}</span></span>`;
}
