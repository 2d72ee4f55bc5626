/**
 * What a push asks to be shown.
 *
 * It is the JSON of declarative Web Push (draft of the W3C Push API) with Tocsin's own members beside
 * it. Nothing in it is taken on trust: something must be shown for every push, or the browser ends
 * the subscription, so what cannot be read is left out, and in the worst case a plain line is shown.
 */

import { safeLink } from "../core/links.ts";
import type { NotificationData } from "../push/notification-data.ts";
import { timeOf } from "../push/server-id.ts";
import type { ShowOptions } from "./scope.ts";

export interface ToShow {
  readonly title: string;
  readonly options: ShowOptions & { readonly tag: string; readonly data: NotificationData };
  /** What stands on the app's icon from now on; null leaves it. */
  readonly badge: number | null;
}

type Fields = Readonly<Record<string, unknown>>;

interface Button {
  readonly action: string;
  readonly title: string;
  readonly url: string | null;
}

const plainTitle = "New alert";
const plainTag = "tocsin";

/** Read a push; `now` is kept with the notification. */
export function readPush(text: string | null, now: number): ToShow {
  const push = fields(parsed(text));
  const notification = fields(push.notification);
  const tag = textOf(notification.tag) ?? textOf(push.id) ?? plainTag;
  const buttons = buttonsOf(push.actions);
  const links = buttons.flatMap(({ action, url }) => (url ? [[action, url] as const] : []));
  return {
    title: textOf(notification.title) ?? plainTitle,
    badge: countOf(notification.app_badge),
    options: {
      ...shape(notification),
      requireInteraction: push.severity === "critical",
      tag,
      renotify: false, // a repeat of a delivery replaces its notification in silence
      actions: buttons.map(({ action, title }) => ({ action, title })),
      data: {
        tocsin: 1,
        id: timeOf(tag) === null ? null : tag,
        alert_id: textOf(push.id) ?? "",
        url: linkOf(push.url),
        links: Object.fromEntries(links),
        at: now,
      },
    },
  };
}

/** How it looks; members that the browser would refuse are left out. */
function shape(notification: Fields): ShowOptions {
  const body = textOf(notification.body);
  const lang = textOf(notification.lang);
  const icon = textOf(notification.icon);
  const { dir } = notification;
  return {
    ...(body && { body }),
    ...(lang && { lang }),
    ...(icon && /^https?:/i.test(icon) && { icon }),
    ...((dir === "ltr" || dir === "rtl") && { dir }),
  };
}

/**
 * The alert's own buttons; as on a page, one whose address must not be followed is left out. Browsers
 * show as many as they have room for (`Notification.maxActions`).
 */
function buttonsOf(value: unknown): Button[] {
  const given = Array.isArray(value) ? value.map(fields) : [];
  return given.flatMap(({ id, label, url }) => {
    const [action, title, link] = [textOf(id), textOf(label), linkOf(url)];
    const isComplete = action && title && (link || !textOf(url));
    return isComplete ? [{ action, title, url: link }] : [];
  });
}

/** The address by the same rule as on a page. */
function linkOf(address: unknown): string | null {
  return safeLink(textOf(address) ?? undefined);
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return null;
  }
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

/** Declarative push writes a count as a number or as its digits. */
function countOf(value: unknown): number | null {
  const digits = typeof value === "string" && /^\d{1,9}$/.test(value);
  const count = digits ? Number(value) : value;
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : null;
}
