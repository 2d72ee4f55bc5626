/** Which server, and with which key: as given, or from the environment where there is one. */

interface Environment {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

/** @throws TypeError Address or key is missing, or cannot be what it says. */
export function findServer(givenUrl?: string, givenKey?: string): { url: string; key: string } {
  const env = (globalThis as Environment).process?.env ?? {};
  const url = givenUrl ?? env.TOCSIN_URL ?? "";
  const key = givenKey ?? env.TOCSIN_KEY ?? "";
  if (!/^https?:\/\/[^/]/.test(url)) {
    throw new TypeError(
      `TOCSIN_URL ${JSON.stringify(url)} is no address; write it as https://HOST:PORT`,
    );
  }
  if (!/^[\x20-\x7e]+$/.test(key)) {
    throw new TypeError("TOCSIN_KEY is missing, or has a character that no key has");
  }
  return { url: url.replace(/\/+$/, ""), key };
}
