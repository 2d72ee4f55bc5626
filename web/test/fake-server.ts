/** A server of one inbox, as far as a client can see: requests are answered by a function. */

import { type ClientOptions, TocsinClient } from "../src/core/index.ts";
import { FakeSocket } from "./fake-socket.ts";
import { FakeStreams } from "./fake-stream.ts";

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly key: string | null;
  readonly device: string | null;
  readonly body: unknown;
}

type Reply = { readonly status?: number; readonly body: unknown };

export class FakeServer {
  readonly requests: Seen[] = [];
  readonly streams = new FakeStreams();
  tokens = 0;
  /** Answers each request; throw to lose it. */
  reply: (request: Seen) => Reply;

  constructor(reply: (request: Seen) => Reply) {
    this.reply = reply;
  }

  readonly fetch: typeof fetch = async (input, init) => this.#answer(String(input), init ?? {});

  client(options: Partial<ClientOptions> = {}, Client = TocsinClient): TocsinClient {
    return new Client({
      endpoint: "http://test",
      device: "d",
      tokenProvider: async () => {
        this.tokens += 1;
        return { url: `ws://test/client/hubs/default?access_token=jwt${this.tokens}` };
      },
      WebSocket: FakeSocket.asPlatform(),
      fetch: this.fetch,
      surroundings: async () => ({}),
      ...options,
    });
  }

  async #answer(url: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    const { pathname, search } = new URL(url);
    const seen = {
      method: init.method ?? "GET",
      path: pathname + search,
      authorization: headers.get("authorization"),
      key: headers.get("idempotency-key"),
      device: headers.get("tocsin-device"),
      body: typeof init.body === "string" ? JSON.parse(init.body) : null,
    };
    this.requests.push(seen);
    if (init.signal && pathname.endsWith("/stream")) return this.streams.open(init.signal);
    const { status = 200, body } = this.reply(seen);
    return new Response(JSON.stringify(body), { status });
  }
}

/** Let everything that waits for nothing but its turn happen. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** Connect and let the first page be read. */
export async function connected(client: TocsinClient): Promise<FakeSocket> {
  client.connect();
  await settled();
  FakeSocket.last.accept("c1");
  await settled();
  return FakeSocket.last;
}
