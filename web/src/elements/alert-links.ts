/** Links of alerts: only safe addresses, and other sites open beside the page. */

import { html, nothing, type TemplateResult } from "lit";
import { type Alert, type AlertAction, isForeign, safeLink } from "../core/index.ts";

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

/** The alert's own buttons; one without a safe address is left out, because nothing would happen. */
export function actionLinks(alert: Alert, onFollow: () => void): TemplateResult | typeof nothing {
  const links = (alert.actions ?? []).flatMap((action) => actionLink(action, onFollow) ?? []);
  return links.length === 0 ? nothing : html`<div class="links">${links}</div>`;
}

function actionLink(action: AlertAction, onFollow: () => void): TemplateResult | null {
  const link = linkTarget(action.url);
  if (!link) return null;
  return html`<a
    class="link" data-style=${action.style ?? "default"} href=${link.href} target=${link.target}
    rel=${link.rel} @click=${onFollow}
  >${action.label}</a>`;
}
