/** Publishing alerts from Node or a worker: `fetch` and nothing else. */

import type { AlertDraft } from "./alert.ts";
import { Attempts, type Line } from "./attempts.ts";
import { batchesOf, type Entry, ndjson } from "./batches.ts";
import { newId } from "./id.ts";
import { findServer } from "./options.ts";
import { type Problem, RefusedError, UnsettledError } from "./refusal.ts";

export interface ProducerOptions {
  /** Address of the Tocsin server. Default: the environment's `TOCSIN_URL`. */
  readonly url?: string;
  /** An API key. Default: the environment's `TOCSIN_KEY`. */
  readonly key?: string;
  /** How long one attempt waits for its answer, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
  /** How long one request is tried, in milliseconds; a batch is one. Default 60 000. */
  readonly deadlineMs?: number;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
}

/** The alert is on the server's disk. */
export interface Accepted {
  /** The server's: it names the alert in `status` and `withdraw`. */
  readonly id: string;
  /** It was accepted before, perhaps by an attempt whose answer was lost. */
  readonly isRepeat: boolean;
}

export type Outcome = Accepted | RefusedError | UnsettledError;

/** Where an alert stands, as `GET /v1/alerts/{id}` tells it. */
export interface Standing {
  readonly id: string;
  readonly state: string;
  readonly [field: string]: unknown;
}

interface Result {
  readonly status: string;
  readonly id: string;
  readonly error?: Problem;
}

/**
 * Publishes alerts, and repeats each under one id until an answer settles it.
 *
 * Network failures, timeouts, 408, 425, 429 and 5xx are tried again after a jittered pause, or when
 * the server said. What ends it otherwise is a `RefusedError` or an `UnsettledError`.
 */
export class Producer {
  readonly #line: Line;

  constructor(options: ProducerOptions = {}) {
    const { timeoutMs = 10_000, deadlineMs = 60_000 } = options;
    const fetcher = options.fetch ?? ((...call) => fetch(...call));
    this.#line = { ...findServer(options.url, options.key), timeoutMs, deadlineMs, fetch: fetcher };
  }

  /** Publish one alert; it is on the server's disk when this resolves. */
  async publish(alert: AlertDraft): Promise<Accepted> {
    const id = alert.id ?? (await newId());
    const request = { method: "POST", path: "/v1/alerts", body: JSON.stringify({ ...alert, id }) };
    try {
      return accepted(await new Attempts(this.#line).settle(request, readResult));
    } catch (error) {
      throw error instanceof UnsettledError ? named(error, id) : error;
    }
  }

  /**
   * Publish alerts in batches, and tell what became of each, in order.
   *
   * Refusals are among the outcomes and are not thrown: one bad alert spoils no other.
   */
  async publishMany(alerts: readonly AlertDraft[]): Promise<Outcome[]> {
    const entries: Entry[] = [];
    for (const [place, alert] of alerts.entries()) {
      const id = alert.id ?? (await newId());
      entries.push({ place, id, line: JSON.stringify({ ...alert, id }) });
    }
    const outcomes = new Array<Outcome>(entries.length);
    for (const batch of batchesOf(entries)) await this.#publishBatch(batch, outcomes);
    return outcomes;
  }

  /** Where an alert stands. */
  status(id: string): Promise<Standing> {
    return this.#about("GET", id);
  }

  /** Take an alert back from every inbox where it is unread. */
  withdraw(id: string): Promise<Standing> {
    return this.#about("DELETE", id);
  }

  #about(method: string, id: string): Promise<Standing> {
    const path = `/v1/alerts/${encodeURIComponent(id)}`;
    const read = (body: object) => ("state" in body ? (body as Standing) : null);
    return new Attempts(this.#line).settle({ method, path }, read);
  }

  /** Send a batch until each alert has its outcome; only what was put off is sent again. */
  async #publishBatch(batch: readonly Entry[], outcomes: Outcome[]): Promise<void> {
    const attempts = new Attempts(this.#line);
    let waiting = batch;
    try {
      while (waiting.length > 0) {
        const results = await attempts.settle(ndjson(waiting), resultsOf(waiting));
        for (const [entry, result] of results) outcomes[entry.place] = outcomeOf(result);
        const putOff = results.filter(([, { error }]) => error?.retryable);
        waiting = putOff.map(([entry]) => entry);
        for (const [, { error }] of putOff.slice(0, 1))
          attempts.again(error?.detail ?? "", error?.code);
      }
    } catch (error) {
      if (isTooLarge(error) && waiting.length > 1) {
        // The server's limits are not the default ones.
        const half = waiting.length >> 1;
        await this.#publishBatch(waiting.slice(0, half), outcomes);
        await this.#publishBatch(waiting.slice(half), outcomes);
      } else {
        for (const { place, id } of waiting) outcomes[place] = failureOf(error, id);
      }
    }
  }
}

function readResult(body: object): Result | null {
  return "id" in body && "status" in body ? (body as Result) : null;
}

/** Reads the answer to a batch: each alert with its result; null if it is none. */
function resultsOf(batch: readonly Entry[]): (body: object) => [Entry, Result][] | null {
  return (body) => {
    const results = "results" in body ? body.results : null;
    if (!Array.isArray(results) || results.length !== batch.length) return null;
    return batch.map((entry, index) => [entry, results[index]]);
  };
}

function outcomeOf(result: Result): Outcome {
  if (!result.error) return accepted(result);
  const { pointer, ...problem } = result.error;
  // From a place in the batch (`/3/title`) to one in the alert (`/title`).
  const within = pointer === undefined ? {} : { pointer: pointer.replace(/^\/\d+/, "") };
  return new RefusedError({ ...problem, ...within }, null);
}

function accepted(result: Result): Accepted {
  return { id: result.id, isRepeat: result.status === "duplicate" };
}

function isTooLarge(error: unknown): boolean {
  const codes = ["batch-too-large", "body-too-large"];
  return error instanceof RefusedError && codes.includes(error.code);
}

function failureOf(error: unknown, id: string): RefusedError | UnsettledError {
  if (error instanceof UnsettledError) return named(error, id);
  if (error instanceof RefusedError) return error;
  throw error;
}

function named({ message, code }: UnsettledError, id: string): UnsettledError {
  return new UnsettledError(message, code, id);
}
