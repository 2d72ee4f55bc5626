/** What the demo page asks the server for beyond the inbox: publishing, and an alert's story. */

import type { AlertAction, Severity } from "../src/elements/index.ts";

export interface Draft {
  /** The producer's own id: sent again under it, an alert is one alert. */
  readonly id: string;
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

/** One thing that is known of one person's copy. */
export interface Event {
  readonly at: string | null;
  readonly fact: string;
  readonly device?: string;
}

const againAfterMs = 1_000;
const deadlineMs = 5_000;

/**
 * Publish until the server has answered, as a producer should: a broken line says nothing about the alert.
 *
 * @throws What the server says where it refuses the alert.
 */
export async function publish(draft: Draft, waiting: () => void): Promise<{ id: string }> {
  for (;;) {
    const response = await tryToPublish(draft);
    if (response && response.status < 500) return read(response);
    waiting();
    await new Promise((resolve) => setTimeout(resolve, againAfterMs));
  }
}

/** Where an alert stands; null where the server does not say. */
export function standingOf(id: string): Promise<Standing | null> {
  return ask(`/demo/alerts/${id}`);
}

/** The story of one person's copy; null where the server does not tell it. */
export async function storyOf(id: string, user: string): Promise<readonly Event[] | null> {
  const story = await ask<{ events: readonly Event[] }>(`/demo/alerts/${id}/trace?user=${user}`);
  return story?.events ?? null;
}

async function tryToPublish(draft: Draft): Promise<Response | null> {
  try {
    return await fetch("/demo/alerts", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(draft),
      signal: AbortSignal.timeout(deadlineMs),
    });
  } catch {
    return null;
  }
}

async function ask<Answer>(path: string): Promise<Answer | null> {
  try {
    return await read<Answer>(await fetch(path, { signal: AbortSignal.timeout(deadlineMs) }));
  } catch {
    return null;
  }
}

async function read<Answer>(response: Response): Promise<Answer> {
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer as Answer;
  const problem = (answer ?? {}) as { detail?: string; title?: string };
  throw new Error(problem.detail ?? problem.title ?? `The server answered ${response.status}`);
}
