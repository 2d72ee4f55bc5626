/** Waits that double with every failure and are never alike. */

/**
 * How long to wait before the next attempt: half to all of an end that doubles, in milliseconds.
 *
 * @param attempts Failures so far, at least 1.
 * @param random In [0, 1).
 */
export function backoffMs(attempts: number, random: number, baseMs: number, maxMs: number): number {
  const longest = Math.min(maxMs, baseMs * 2 ** (attempts - 1));
  return Math.floor(longest * (0.5 + random / 2));
}
