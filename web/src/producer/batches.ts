/** Many alerts as few requests, each within the server's default limits. */

import type { Request } from "./attempts.ts";

/** One alert of many: its place among them, its id, and its JSON. */
export interface Entry {
  readonly place: number;
  readonly id: string;
  readonly line: string;
}

const batchAlerts = 1_000;
const batchBytes = 8 * 1024 * 1024;
const encoder = new TextEncoder();

/** Split alerts, in order. */
export function* batchesOf(entries: readonly Entry[]): Generator<readonly Entry[]> {
  let begin = 0;
  let bytes = 0;
  for (const [index, { line }] of entries.entries()) {
    const size = encoder.encode(line).byteLength + 1;
    const isFull = index - begin === batchAlerts || bytes + size > batchBytes;
    if (isFull && index > begin) {
      yield entries.slice(begin, index);
      begin = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (begin < entries.length) yield entries.slice(begin);
}

/** The request that publishes these. */
export function ndjson(entries: readonly Entry[]): Request {
  const body = entries.map(({ line }) => line).join("\n");
  return { method: "POST", path: "/v1/alerts/batch", body, contentType: "application/x-ndjson" };
}
