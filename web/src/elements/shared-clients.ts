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
  const { tokenUrl } = source;
  if (!tokenUrl) return null;
  const key = JSON.stringify([source.endpoint, tokenUrl, source.hub, source.user]);
  const known = clients.get(key);
  if (known) return known;
  const client = new TocsinClient({ ...source, tokenProvider: () => askForToken(tokenUrl) });
  clients.set(key, client);
  client.connect();
  if (!fallback) setDefaultClient(client);
  return client;
}

/** Ask the application's own backend, as the signed-in person, for a client token. */
async function askForToken(tokenUrl: string): Promise<string | { url: string }> {
  const response = await fetch(tokenUrl, {
    method: "POST",
    credentials: "same-origin",
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${tokenUrl} answered ${response.status}`);
  const answer: { url?: unknown; token?: unknown } = await response.json();
  if (typeof answer.url === "string") return { url: answer.url };
  if (typeof answer.token === "string") return answer.token;
  throw new Error(`${tokenUrl} gave neither "url" nor "token"`);
}
