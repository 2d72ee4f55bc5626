/** What a page does when the person pressed a notification. */

/** Asks the page's bell to open; any element may send it. */
export const openInboxEvent = "tocsin-open-inbox";
/** Sent on the document before the press of a notification is followed; an app that goes there itself prevents it. */
export const notificationEvent = "tocsin-notification";
/** Sent when one of an alert's own buttons was pressed. */
export const actionEvent = "tocsin-action";

export interface OpenTarget {
  readonly alert_id: string;
  /** Safe to follow; relative ones to the page. Null: the alert leads nowhere. */
  readonly url: string | null;
}

/** Follow a press as a link of the page would be; one that leads nowhere opens the inbox. */
export function follow(target: OpenTarget): void {
  const { alert_id, url } = target;
  const detail = { alert_id, url };
  const event = new CustomEvent(notificationEvent, { detail, cancelable: true });
  if (!document.dispatchEvent(event)) return;
  if (url === null) document.dispatchEvent(new CustomEvent(openInboxEvent));
  else location.assign(url);
}
