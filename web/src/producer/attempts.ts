/** How often, and how long, a request is tried until an answer settles it. */

import { backoffMs } from "../core/backoff.ts";
import { parseObject, problemIn, RefusedError, UnsettledError } from "./refusal.ts";

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
}

/** What attempts need of their surroundings. */
export interface Line {
  readonly url: string;
  readonly key: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
}

const firstPauseMs = 250;
const longestPauseMs = 10_000;
const waitAndSee = new Set([408, 425, 429]);

/** The attempts at one thing: they share a deadline, and the pauses between them grow. */
export class Attempts {
  readonly #line: Line;
  readonly #until: number;
  #failures = 0;
  #pauseMs = 0;

  constructor(line: Line) {
    this.#line = line;
    this.#until = performance.now() + line.deadlineMs;
  }

  /**
   * Send the request until it is answered with what `read` takes for an answer.
   *
   * @throws RefusedError The server said no.
   * @throws UnsettledError The deadline came first.
   */
  async settle<Answer>(
    request: Request,
    read: (body: Record<string, unknown>) => Answer | null,
  ): Promise<Answer> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
      const answer = await this.#try(request, read);
      if (answer !== null) return answer;
    }
  }

  /** Note a failure: what is sent next waits for the time that the server asked for, and a jittered one. */
  again(reason: string, code = "no-answer", retryAfter: string | null = null): void {
    this.#failures += 1;
    const askedMs = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) * 1_000 : 0;
    this.#pauseMs =
      askedMs + backoffMs(this.#failures, Math.random(), firstPauseMs, longestPauseMs);
    if (performance.now() + this.#pauseMs < this.#until) return;
    const tried = `${this.#failures} attempts within ${this.#line.deadlineMs} ms`;
    const detail = `not settled by ${tried}, so it may have been done: repeat it with the same id.`;
    throw new UnsettledError(`${detail} The last: ${reason}`, code);
  }

  /** One attempt; null if it has to be made again. */
  async #try<Answer>(
    request: Request,
    read: (body: Record<string, unknown>) => Answer | null,
  ): Promise<Answer | null> {
    const reply = await this.#send(request).catch((error) => this.again(reasonOf(error)));
    if (!reply) return null;
    const { status, text, retryAfter } = reply;
    if (status >= 200 && status < 300) {
      const body = parseObject(text);
      const answer = body && read(body);
      if (answer === null) this.again("the answer is not Tocsin's; is it the right address?");
      return answer;
    }
    const problem = problemIn(status, text);
    if (!waitAndSee.has(status) && status < 500) throw new RefusedError(problem, status);
    this.again(problem.detail, problem.code, retryAfter);
    return null;
  }

  async #send({ method, path, body, contentType = "application/json" }: Request) {
    const { url, key, fetch, timeoutMs } = this.#line;
    const leftMs = Math.max(1, Math.min(timeoutMs, this.#until - performance.now()));
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": contentType },
      body: body ?? null,
      redirect: "manual",
      signal: AbortSignal.timeout(Math.ceil(leftMs)),
    });
    const text = await response.text();
    return { status: response.status, text, retryAfter: response.headers.get("retry-after") };
  }
}

/** What `fetch` says is "fetch failed"; the cause says why. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return String(cause);
}
