/** The credential of one client: a token for requests, and the address of its socket. */

/**
 * Gets a fresh credential from your backend: the client token, or the answer of
 * `POST /v1/client-tokens` with the `url` of the socket (its token is in there).
 *
 * One that throws an error with `status` 401 or 403 says that nobody is signed in; it is asked again all the same.
 */
export type TokenProvider = () => Promise<string | { readonly url: string }>;

/** What an application says about tokens; one of both. */
interface TokenSource {
  readonly tokenUrl?: string | undefined;
  readonly tokenProvider?: TokenProvider | undefined;
}

export interface Credential {
  readonly token: string;
  /** The client URL, `ws:` or `wss:`, with the token. */
  readonly socketUrl: string;
  /** The server's origin and base path, `http:` or `https:`, without a final slash. */
  readonly api: string;
}

const refreshAfterMs = 1_000;

/** Asks the provider, once for all who ask at the same time. */
export class Credentials {
  readonly #provider: TokenProvider;
  readonly #endpoint: string | undefined;
  readonly #hub: string;
  #current: Credential | null = null;
  #gotAt = 0;
  #isRefused = false;
  #asking: Promise<Credential> | null = null;

  constructor(provider: TokenProvider, endpoint: string | undefined, hub: string) {
    this.#provider = provider;
    this.#endpoint = endpoint;
    this.#hub = hub;
  }

  /** Whether the provider said last that this person gets no token: it failed with a `status` of 401 or 403. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** The credential at hand, or a fresh one. */
  async current(): Promise<Credential> {
    return this.#current ?? this.fresh();
  }

  /** A new credential, unless one came within the last second. */
  fresh(): Promise<Credential> {
    if (this.#current && Date.now() - this.#gotAt < refreshAfterMs) {
      return Promise.resolve(this.#current);
    }
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(): Promise<Credential> {
    const given = await this.#provider().catch((error: unknown) => {
      this.#isRefused = [401, 403].includes((error as { status?: number } | null)?.status ?? 0);
      throw error;
    });
    this.#isRefused = false;
    this.#current =
      typeof given === "string"
        ? fromToken(given, this.#endpoint ?? location.origin, this.#hub)
        : fromUrl(given.url, this.#endpoint);
    this.#gotAt = Date.now();
    return this.#current;
  }
}

function fromToken(token: string, endpoint: string, hub: string): Credential {
  const url = new URL(`${endpoint}/client/hubs/${encodeURIComponent(hub)}`);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("access_token", token);
  return { token, socketUrl: url.href, api: endpoint };
}

function fromUrl(socketUrl: string, endpoint: string | undefined): Credential {
  const url = new URL(socketUrl);
  const token = url.searchParams.get("access_token");
  if (!token) throw new Error("the client URL carries no access_token");
  const [base = ""] = `${url.origin}${url.pathname}`.split("/client/");
  return { token, socketUrl, api: endpoint ?? base.replace(/^ws/, "http") };
}

/** The provider of this source. */
export function providerOf({ tokenProvider, tokenUrl }: TokenSource): TokenProvider {
  if (tokenProvider) return tokenProvider;
  if (tokenUrl) return () => askForToken(tokenUrl);
  throw new Error("a client needs a tokenUrl");
}

/** Ask the application's own backend, as the signed-in person, for a client token. */
async function askForToken(tokenUrl: string): Promise<string | { url: string }> {
  const response = await fetch(tokenUrl, {
    method: "POST",
    credentials: "same-origin",
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(10_000),
  });
  const { ok, status } = response;
  if (!ok) throw Object.assign(new Error(`${tokenUrl} answered ${status}`), { status });
  const answer: { url?: unknown; token?: unknown } = await response.json();
  if (typeof answer.url === "string") return { url: answer.url };
  if (typeof answer.token === "string") return answer.token;
  throw new Error(`${tokenUrl} gave no token`);
}
