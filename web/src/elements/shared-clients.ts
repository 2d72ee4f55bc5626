/** The clients of a page: elements that name the same server share one connection. */

import { TocsinClient } from "../core/index.ts";

/** Where an element's inbox is, as its attributes say. */
export interface Source {
  readonly endpoint: string | undefined;
  readonly tokenUrl: string | undefined;
  readonly hub: string | undefined;
  readonly user: string | undefined;
}

const clients = new Map<string, TocsinClient>();
const waiting = new Set<(client: TocsinClient) => void>();
let fallback: TocsinClient | null = null;

/** Use this client in every element of the page that names none. */
export function setDefaultClient(client: TocsinClient): void {
  fallback = client;
  for (const use of [...waiting]) use(client);
}

/**
 * Call `use` with the page's default client, now if there is one and whenever it becomes another.
 *
 * @returns How to stop it.
 */
export function onDefaultClient(use: (client: TocsinClient) => void): () => void {
  waiting.add(use);
  if (fallback) use(fallback);
  return () => waiting.delete(use);
}

/**
 * The connected client of this source; null if it names no `token-url`.
 *
 * The first one of a page becomes its default. It lives as long as the page.
 */
export function sharedClient(source: Source): TocsinClient | null {
  const { endpoint, tokenUrl, hub, user } = source;
  if (!tokenUrl) return null;
  const key = JSON.stringify([endpoint, tokenUrl, hub, user]);
  const known = clients.get(key);
  if (known) return known;
  // An element has these from its class: they are taken one by one, a copy of it would be without them.
  const client = new TocsinClient({ endpoint, tokenUrl, hub, user });
  clients.set(key, client);
  client.connect();
  if (!fallback) setDefaultClient(client);
  return client;
}
