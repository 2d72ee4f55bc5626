/** Ids of alerts that were given none. */

import { newOpId } from "../core/op-id.ts";

/** A random UUID. */
export async function newId(): Promise<string> {
  // Node 18 has no global crypto. Its module is not named in one piece, so that bundlers for workers leave it alone.
  const source: Crypto =
    globalThis.crypto ?? (await import(["node", "crypto"].join(":"))).webcrypto;
  return newOpId(source);
}
