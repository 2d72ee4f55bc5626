/** What the demo page asks the server for beyond the inbox: sessions, publishing, and where an alert stands. */

import { type AlertAction, type Severity, TocsinClient } from "../src/elements/index.ts";
import type { Person } from "./people.ts";

export interface Draft {
  readonly to: { readonly users: readonly string[] } | { readonly all: true };
  readonly title: string;
  readonly body?: string;
  readonly severity: Severity;
  readonly source?: string;
  readonly url?: string;
  readonly actions?: readonly AlertAction[];
}

export interface Standing {
  readonly state: "accepted" | "processed" | "dead";
  readonly accepted_at?: string;
  readonly processed_at?: string;
}

/** Sign in as a demo person and stay connected; this browser keeps the inbox for the next visit. */
export function connectAs(person: Person): TocsinClient {
  const client = new TocsinClient({
    endpoint: location.origin,
    user: person.id,
    tokenUrl: `/demo/session?user=${person.id}`,
  });
  client.connect();
  return client;
}

export function publish(draft: Draft): Promise<{ id: string }> {
  return post("/demo/alerts", draft);
}

export async function standingOf(id: string): Promise<Standing> {
  return read(await fetch(`/demo/alerts/${id}`));
}

async function post<Answer>(path: string, body: object): Promise<Answer> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  return read(response);
}

async function read<Answer>(response: Response): Promise<Answer> {
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer as Answer;
  const problem = (answer ?? {}) as { detail?: string; title?: string };
  throw new Error(problem.detail ?? problem.title ?? `The server answered ${response.status}`);
}
