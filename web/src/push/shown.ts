/** Takes back what is shown of alerts that need no notification any more, and keeps the app's badge. */

import type { View } from "../core/index.ts";
import { type NotificationData, readData } from "./notification-data.ts";
import { timeOf } from "./server-id.ts";

type Noted = Pick<NotificationData, "id" | "alert_id" | "at">;

/** The part of a service worker's registration that holds what is shown. */
export type Shown = Pick<ServiceWorkerRegistration, "getNotifications">;

/**
 * Close what is done.
 *
 * @param wasDrawn Whether this page has drawn the alert for somebody who looked.
 */
export async function closeDone(
  shown: Shown,
  view: View,
  wasDrawn: (alertId: string) => boolean,
): Promise<void> {
  for (const notification of await shown.getNotifications()) {
    const data = readData(notification.data) ?? ofItem(notification.tag, view);
    if (data && (wasDrawn(data.alert_id) || isDone(data, view))) notification.close();
  }
}

/** Close all that is Tocsin's: the person signs out, or turned push off. */
export async function closeAll(shown: Shown): Promise<void> {
  for (const notification of await shown.getNotifications()) {
    const isOurs = readData(notification.data) || timeOf(notification.tag) !== null;
    if (isOurs) notification.close();
  }
}

/** Safari shows declarative pushes by itself: of such a one the tag, the item's id, is all there is. */
function ofItem(tag: string, view: View): Noted | null {
  const item = view.items.find(({ id }) => id === tag);
  return item ? { id: tag, alert_id: item.alert_id, at: Number.POSITIVE_INFINITY } : null;
}

/**
 * Whether the inbox says that nobody needs it any more: seen, read, or no longer there.
 *
 * What is not in the view is gone only if the view reaches back to it and is newer than the
 * notification; else it may be on an older page, or its frame still on the way.
 */
export function isDone(data: Noted, view: View): boolean {
  const item = view.items.find(({ alert_id }) => alert_id === data.alert_id);
  if (item) return item.seen;
  if (data.id === null) return false; // no item of an inbox: a test, or a summary
  const isNewer = view.synced && view.as_of !== null && view.as_of > data.at;
  return isNewer && reachesBack(view, data.alert_id);
}

function reachesBack({ complete, end }: View, alertId: string): boolean {
  const madeMs = timeOf(alertId);
  return complete || (end !== null && madeMs !== null && madeMs * 1_000 >= end);
}
