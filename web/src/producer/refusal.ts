/** What a producer is told when an alert was not accepted, or when nobody knows. */

/** The problem of an answer (RFC 9457), or of one alert in a batch. */
export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly pointer?: string;
  readonly retryable?: boolean;
}

/** The server said no; the same again gets the same answer. `code` and `pointer` are the server's. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly code: string;
  readonly pointer: string | null;
  /** That of the answer; null for one alert of a batch that was refused alone. */
  readonly status: number | null;

  constructor({ code, detail, pointer }: Problem, status: number | null) {
    super(detail);
    this.code = code;
    this.pointer = pointer ?? null;
    this.status = status;
  }
}

/** Time was up before an answer settled it: it may have been done, or not. `code` is of the last attempt. */
export class UnsettledError extends Error {
  override readonly name = "UnsettledError";
  readonly code: string;
  /** The id it was published under, drawn if it had none: again under that id it is accepted once. */
  readonly alertId: string | null;

  constructor(detail: string, code: string, alertId: string | null = null) {
    super(detail);
    this.code = code;
    this.alertId = alertId;
  }
}

const shownChars = 200;

/** The problem of an answer; one is made up where somebody else than Tocsin answered. */
export function problemIn(status: number, text: string): Problem {
  const problem = parseObject(text);
  if (typeof problem?.code === "string" && typeof problem.detail === "string") {
    return problem as unknown as Problem;
  }
  const said = text.slice(0, shownChars);
  const detail = `the server answered ${status}, but not as Tocsin does: ${said}`;
  return { code: "no-answer", detail };
}

/** The JSON object in a text, or null. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
