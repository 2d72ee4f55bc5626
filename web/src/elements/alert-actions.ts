/** The alert's own buttons: a link where one leads somewhere, else a button; pressing either is told. */

import { html, nothing, type TemplateResult } from "lit";
import type { Alert, AlertAction } from "../core/index.ts";
import { linkTarget } from "./alert-links.ts";

export type OnPress = (action: AlertAction) => void;

/**
 * Draw the actions; one whose address must not be followed is left out.
 *
 * @param tabIndex -1 where Tab comes to one row of many only.
 */
export function alertActions(
  alert: Alert,
  onPress: OnPress,
  tabIndex: 0 | -1 = 0,
): TemplateResult | typeof nothing {
  const drawn = (alert.actions ?? []).flatMap(
    (action) => alertAction(action, onPress, tabIndex) ?? [],
  );
  return drawn.length === 0 ? nothing : html`<div class="choices">${drawn}</div>`;
}

function alertAction(
  action: AlertAction,
  onPress: OnPress,
  tabIndex: 0 | -1,
): TemplateResult | null {
  const style = action.style ?? "default";
  const press = () => onPress(action);
  if (!action.url) {
    return html`<button class="choice" type="button" tabindex=${tabIndex} data-style=${style} @click=${press}><bdi>${action.label}</bdi></button>`;
  }
  const link = linkTarget(action.url);
  if (!link) return null;
  return html`<a
    class="choice" tabindex=${tabIndex} data-style=${style} href=${link.href} target=${link.target} rel=${link.rel} @click=${press}
  ><bdi>${action.label}</bdi></a>`;
}
