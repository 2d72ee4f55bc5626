/** What the server's close codes ask of a client (docs/reference/inbox-protocol.md). */

/** How to come back after a close. */
export type Comeback =
  /** Take the same connection up again; frames it missed are replayed. */
  | { readonly how: "recover" }
  /** Make a new connection, after a random part of the last half of this time, in milliseconds. */
  | { readonly how: "fresh"; readonly afterMs: number }
  /** Make a new connection after the backoff. */
  | { readonly how: "backoff" };

const drainDefaultMs = 1_000;

/** Read a close; anything unknown is a broken line, and those can be recovered. */
export function comebackAfter(code: number, reason: string): Comeback {
  switch (code) {
    case 1000:
    case 4401:
      return { how: "fresh", afterMs: 0 };
    case 1001:
    case 1012:
      return { how: "fresh", afterMs: retryAfterMs(reason) };
    case 1007:
    case 1009:
      return { how: "backoff" };
    case 1008:
      return /^(too-many-connections|rate-limited)$/.test(reason)
        ? { how: "backoff" }
        : { how: "fresh", afterMs: 0 };
    default:
      return { how: "recover" };
  }
}

function retryAfterMs(reason: string): number {
  const match = /retry-after-ms=(\d{1,9})/.exec(reason);
  return match?.[1] === undefined ? drainDefaultMs : Number(match[1]);
}
