/** A pressed action is a receipt for the server, and an event for the page; nobody else is told. */

import type { AlertAction, TocsinClient } from "../core/index.ts";
import { actionEvent } from "../push/opening.ts";

export function tellPress(
  element: HTMLElement,
  client: TocsinClient | null,
  { alert_id }: { readonly alert_id: string },
  action: AlertAction,
): void {
  client?.tell({ alert_id }, "acted", action.id);
  const detail = { alert_id, action: action.id };
  element.dispatchEvent(new CustomEvent(actionEvent, { detail, bubbles: true, composed: true }));
}
