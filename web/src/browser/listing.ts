/** Other views of an inbox than the one that is kept: snoozed, archived, unread, or filtered, page by page. */

import type { Answer } from "../core/driver.ts";
import type { ViewItem } from "../core/machine.ts";
import type { Severity } from "../core/protocol.ts";
import type { ServerRequest } from "../core/requests.ts";

export interface ListQuery {
  /** Default `all`: what is listed. */
  readonly status?: "all" | "unread" | "snoozed" | "archived" | undefined;
  readonly category?: string | undefined;
  readonly severity?: Severity | undefined;
  /** 1 to 200. Default 50. */
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly cursor?: string | null | undefined;
}

export interface ListPage {
  /** Newest first. */
  readonly items: readonly ViewItem[];
  /** Where the next page begins; null if nothing is older. */
  readonly next: string | null;
}

export function listRequest(query: ListQuery): ServerRequest {
  const given = Object.entries(query).filter(([, value]) => value != null);
  const search = new URLSearchParams(given.map(([name, value]) => [name, `${value}`]));
  return { method: "GET", path: `/v1/inbox/items?${search}` };
}

/** @throws When the answer is no page. */
export function readList({ status, body }: Answer): ListPage {
  const { items, page } = (body ?? {}) as { items?: ViewItem[]; page?: { next?: string | null } };
  if (status !== 200 || !items) throw new Error(`the server answered ${status}`);
  return { items, next: page?.next ?? null };
}
