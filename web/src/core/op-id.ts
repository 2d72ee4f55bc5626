/** Names of a user's actions: random, so that no two are ever alike. */

/** A random UUID; unlike `crypto.randomUUID` it also works on pages without TLS. */
export function newOpId(source: Crypto = crypto): string {
  const bytes = source.getRandomValues(new Uint8Array(16));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = (Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8;
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant.toString(16)}${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join("-");
}
