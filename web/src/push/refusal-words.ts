/**
 * What people are told when the server refuses: by its stable code, else by the kind of failure.
 *
 * The server's own words are English and mostly for developers. Every text here is a phrase of `elements/locale`; what is
 * not here is said as the server says it.
 */

import type { Answer } from "../core/driver.ts";
import { ServerRefusal } from "./registry.ts";

export const refusalWords: Readonly<Record<string, string>> = {
  401: "You are not signed in here any more. Sign in again to see your alerts.",
  429: "That was too much at once. Try again in a minute.",
  503: "The server cannot do that right now. Try again in a minute.",
  "push-platform-off": "This server sends no push.",
  "push-host-not-allowed": "This server does not send to the push service of this browser.",
  "push-endpoint-refused": "This server does not send to the push service of this browser.",
};

export function refusalText({ status, body }: Answer): string {
  const { code = "", detail, title } = (body ?? {}) as Record<string, string | undefined>;
  const known = refusalWords[code] ?? refusalWords[status];
  return known ?? detail ?? title ?? `HTTP ${status}`;
}

/** What went wrong, for people. */
export function problemText(error: Error): string {
  return error instanceof ServerRefusal ? refusalText(error.answer) : error.message;
}
