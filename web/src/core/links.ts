/** Which addresses of an alert may become links: nothing that could run as a script. */

const allowed = new Set(["http:", "https:", "mailto:", "tel:"]);

/**
 * The address as a link target, or null if it must not be one.
 *
 * Relative addresses stay relative to the page. Browsers drop tabs, line breaks and outer blanks
 * before they read the scheme, and so does `URL`; that is why it decides, and not a pattern.
 */
export function safeLink(address: string | undefined): string | null {
  if (!address) return null;
  try {
    const url = new URL(address, "https://relative.invalid");
    return allowed.has(url.protocol) ? address : null;
  } catch {
    return null;
  }
}

/**
 * Whether a link leaves the page's own site and should open beside it.
 *
 * Some addresses are whole on one page and not on another (`https:`), and a page in a sandbox has an
 * origin to which nothing is relative: what cannot be read here is taken for foreign.
 */
export function isForeign(address: string, origin: string): boolean {
  try {
    const url = new URL(address, origin);
    return url.protocol.startsWith("http") && url.origin !== origin;
  } catch {
    return true;
  }
}
