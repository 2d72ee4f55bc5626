/** A real HTTP server that does to each request what a test tells it to. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Step =
  | "drop"
  | "hang"
  | "half"
  | {
      readonly status: number;
      readonly body: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  /** The JSON values of its lines. */
  readonly alerts: readonly Record<string, unknown>[];
}

/** Takes the steps one by one, the last one for ever; `decide` may take their place. */
export class ScriptedServer {
  readonly heard: Heard[] = [];
  readonly #server: Server;
  readonly #script: Step[];
  decide: ((heard: Heard) => Step) | null = null;
  /** Called when a request is left without an answer. */
  onHang: () => void = () => undefined;

  constructor(...script: Step[]) {
    this.#script = script;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const heard = await hear(request);
    this.heard.push(heard);
    const next = this.#script.length > 1 ? this.#script.shift() : this.#script[0];
    const step = this.decide?.(heard) ?? next ?? "drop";
    if (step === "hang") {
      this.onHang();
    } else if (step === "drop") {
      request.socket.destroy();
    } else if (step === "half") {
      response.writeHead(202, { "content-length": 100 }).write('{"id":', () => response.destroy());
    } else {
      const { status, body, headers } = step;
      response
        .writeHead(status, headers)
        .end(typeof body === "string" ? body : JSON.stringify(body));
    }
  }
}

async function hear(request: IncomingMessage): Promise<Heard> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const lines = Buffer.concat(parts).toString().split("\n").filter(Boolean);
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    authorization: request.headers.authorization ?? "",
    alerts: lines.map((line) => JSON.parse(line)),
  };
}
