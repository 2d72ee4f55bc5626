/** Carries one core's effects out: requests with a deadline, and timers. */

import type { BareEvent } from "./company.ts";
import type { Effect, RequestEffect, TimerName } from "./machine.ts";
import type { ServerRequest } from "./requests.ts";
import type { Credentials } from "./tokens.ts";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What a request or a timer came to. */
type Outcome = Extract<BareEvent, { type: "answer" | "failed" | "timer" }>;

/** Carries out what takes time, and brings back what came of it; setting a timer again replaces it. */
export class Driver {
  readonly #requests: Requests;
  readonly #step: (outcome: Outcome) => void;
  readonly #pending = new Map<TimerName, ReturnType<typeof setTimeout>>();

  constructor(requests: Requests, step: (outcome: Outcome) => void) {
    this.#requests = requests;
    this.#step = step;
  }

  carryOut(effect: Extract<Effect, { type: "request" | "timer" | "cancel" }>): void {
    if (effect.type === "request") {
      void this.#send(effect);
      return;
    }
    const { timer } = effect;
    clearTimeout(this.#pending.get(timer));
    this.#pending.delete(timer);
    if (effect.type === "cancel") return;
    const pending = setTimeout(() => {
      this.#pending.delete(timer);
      this.#step({ type: "timer", timer });
    }, effect.delay_ms);
    this.#pending.set(timer, pending);
  }

  async #send(effect: RequestEffect): Promise<void> {
    const { request } = effect;
    try {
      const answer = await this.#requests.send(effect);
      this.#step({ type: "answer", request, ...answer });
    } catch {
      this.#step({ type: "failed", request });
    }
  }
}

/** Sends the core's requests to the server, each with the token of the moment. */
export class Requests {
  readonly #credentials: Credentials;
  readonly #fetch: typeof fetch;
  readonly #deadlineMs: number;
  readonly #device: string;

  constructor(credentials: Credentials, fetcher: typeof fetch, deadlineMs: number, device: string) {
    this.#credentials = credentials;
    this.#fetch = fetcher;
    this.#deadlineMs = deadlineMs;
    this.#device = device;
  }

  /**
   * Send one request; a 401 is answered with one more try under a fresh token.
   *
   * @throws When there was no answer in time, or it was no JSON: the outcome is unknown.
   */
  async send(request: ServerRequest): Promise<Answer> {
    const { token, api } = await this.#credentials.current();
    const answer = await this.#try(request, api, token);
    if (answer.status !== 401) return answer;
    const fresh = await this.#credentials.fresh();
    return fresh.token === token ? answer : this.#try(request, fresh.api, fresh.token);
  }

  /** Open the event stream; it lives until `signal` ends it. */
  async stream(signal: AbortSignal): Promise<Response> {
    const { token, api } = await this.#credentials.current();
    const headers = this.#headers(token);
    return this.#fetch(`${api}/v1/inbox/stream`, { headers, signal, ...detached });
  }

  #headers(token: string): Headers {
    return new Headers({ authorization: `Bearer ${token}`, "tocsin-device": this.#device });
  }

  async #try(request: ServerRequest, api: string, token: string): Promise<Answer> {
    const headers = this.#headers(token);
    if (request.key) headers.set("idempotency-key", request.key);
    if (request.body !== undefined) headers.set("content-type", "application/json");
    const response = await this.#fetch(`${api}${request.path}`, {
      method: request.method,
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      ...detached,
      keepalive: request.keepalive ?? false,
      signal: AbortSignal.timeout(this.#deadlineMs),
    });
    return { status: response.status, body: await readBody(response) };
  }
}

/** No cookies, no cache. */
const detached = { credentials: "omit", cache: "no-store" } as const;

/** A 200 without JSON is no answer; of a refusal the status is enough. */
async function readBody(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    if (response.status === 200) throw error;
    return null;
  }
}
