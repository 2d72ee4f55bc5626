/** Links of alerts: only safe addresses, and other sites open beside the page. */

import { nothing } from "lit";
import { isForeign, safeLink } from "../core/index.ts";

export interface LinkTarget {
  readonly href: string;
  readonly target: "_blank" | typeof nothing;
  readonly rel: "noopener noreferrer" | typeof nothing;
}

/** Where an address leads, or null if it must not be a link. */
export function linkTarget(address: string | undefined): LinkTarget | null {
  const href = safeLink(address);
  if (href === null) return null;
  const foreign = isForeign(href, location.origin);
  return {
    href,
    target: foreign ? "_blank" : nothing,
    rel: foreign ? "noopener noreferrer" : nothing,
  };
}
