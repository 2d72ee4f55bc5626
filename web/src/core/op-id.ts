/** Names of a user's actions: random, so that no two are ever alike. */

/** A random UUID; unlike `crypto.randomUUID` it also works on pages without TLS. */
export function newOpId(source: Crypto = crypto): string {
  const bytes = source.getRandomValues(new Uint8Array(16));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const part = (from: number, to?: number) => hex.slice(from, to);
  return `${part(0, 8)}-${part(8, 12)}-4${part(13, 16)}-8${part(17, 20)}-${part(20)}`;
}
