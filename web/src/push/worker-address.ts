/**
 * The address of a service worker, as a page under Trusted Types must give it.
 *
 * Such a page names the policy `tocsin` in its `Content-Security-Policy`, if it lists policies.
 */

/** What TypeScript's library does not know of Trusted Types. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(address: string): string },
  ): { createScriptURL(address: string): string };
}

let policy: ReturnType<TrustedTypes["createPolicy"]> | undefined;

/** The address to register; browsers without Trusted Types take it as it is. */
export function trustedAddress(address: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (!trustedTypes) return address;
  policy ??= trustedTypes.createPolicy("tocsin", { createScriptURL: ofThisOrigin });
  return policy.createScriptURL(address);
}

/**
 * A service worker always is of the page's own origin; so is what this policy lets through.
 *
 * @throws {TypeError} Where the address is of another one.
 */
function ofThisOrigin(address: string): string {
  const { href, origin } = new URL(address, document.baseURI);
  if (origin === location.origin) return href;
  throw new TypeError(`${origin} is not ${location.origin}, where a service worker has to be`);
}
