/** The milliseconds in an id that the server gave, a UUID of version 7 (RFC 9562); null for other names. */
export function timeOf(id: string): number | null {
  const hex = /^([0-9a-f]{8})-([0-9a-f]{4})-7/i.exec(id);
  return hex ? Number.parseInt(`${hex[1]}${hex[2]}`, 16) : null;
}
