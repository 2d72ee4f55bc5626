/**
 * The line a client listens on: a WebSocket, or an event stream where something on the way breaks those.
 *
 * A proxy may refuse the upgrade, swallow it, or cut what was upgraded at once. After two such sockets in
 * a row, or one that says nothing for five seconds, `GET /v1/inbox/stream` is opened. What it says is told
 * as a socket would tell it; it only cannot be spoken to. Beside it sockets are tried, ever more rarely,
 * and one that is greeted takes over: the stream ends then and not before, so nothing is missed.
 */

import { backoffMs } from "./backoff.ts";
import { readEvents } from "./event-stream.ts";

const subprotocol = "json.reliable.webpubsub.azure.v1";
const blockedAfter = 2;
const greetedWithinMs = 5_000;
/** A socket that breaks sooner counts as blocked. */
const settledAfterMs = 5_000;
const probeBaseMs = 10_000;
const probeMaxMs = 300_000;

/** What frames come over. */
export type Transport = "socket" | "stream";

export interface LineOptions {
  /** Gives the client URL with a token that is still good. */
  readonly url: () => Promise<string>;
  /** Opens the event stream. Default: there are only sockets. */
  readonly stream?: ((signal: AbortSignal) => Promise<Response>) | undefined;
  /** Default: the platform's. */
  readonly WebSocket?: typeof WebSocket | undefined;
}

export interface LineEvents {
  /** A socket is connected; a stream is not told here, it begins with a greeting. */
  readonly onOpen: () => void;
  /** A message of the protocol, or what only shows that somebody is there. */
  readonly onMessage: (text: unknown) => void;
  /** The line is gone, and not by `close`. */
  readonly onClose: (code: number, reason: string) => void;
}

export class Line {
  readonly #options: LineOptions;
  readonly #events: LineEvents;
  #transport: Transport = "socket";
  #socket: WebSocket | null = null;
  #stream: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Sockets in a row that something seems to block. */
  #blocked = 0;
  #probes = 0;
  #streams = 0;

  constructor(options: LineOptions, events: LineEvents) {
    this.#options = options;
    this.#events = events;
  }

  get transport(): Transport {
    return this.#transport;
  }

  /** Whether the next line is a stream, so that a broken socket cannot be taken up again. */
  get isBlocked(): boolean {
    return this.#options.stream !== undefined && this.#blocked >= blockedAfter;
  }

  /** Open the line. A connection that is taken up again (`isRecovery`) is not greeted. */
  open(url: string, isRecovery: boolean): void {
    if (this.isBlocked) {
      void this.#listen();
      return;
    }
    this.#connect(url, isRecovery);
    if (this.#options.stream && !isRecovery) {
      this.#timer = setTimeout(() => void this.#listen(), greetedWithinMs);
    }
  }

  send(text: string): void {
    if (!this.#stream && this.#socket?.readyState === 1) this.#socket.send(text);
  }

  close(code?: number, reason?: string): void {
    clearTimeout(this.#timer);
    const [socket, stream] = [this.#socket, this.#stream];
    this.#socket = this.#stream = null;
    socket?.close(code, reason);
    stream?.abort();
  }

  #connect(url: string, isRecovery: boolean): void {
    const socket = new (this.#options.WebSocket ?? WebSocket)(url, subprotocol);
    const began = Date.now();
    let isOpen = false;
    this.#socket = socket;
    const ifCurrent = (handle: () => void) => {
      if (this.#socket === socket) handle();
    };
    socket.onopen = () =>
      ifCurrent(() => {
        isOpen = true;
        if (!this.#stream) this.#events.onOpen();
      });
    socket.onmessage = ({ data }) =>
      ifCurrent(() => {
        clearTimeout(this.#timer);
        this.#stream?.abort();
        this.#stream = null;
        this.#transport = "socket";
        this.#blocked = Math.min(this.#blocked, blockedAfter - 1); // it is heard, but may be cut
        this.#events.onMessage(data);
      });
    socket.onclose = ({ code, reason }) =>
      ifCurrent(() => {
        this.#socket = null;
        const isCut = code === 1006 && Date.now() - began < settledAfterMs;
        // One that is not let back in says nothing about sockets.
        if (isOpen || !isRecovery) this.#blocked = isCut ? this.#blocked + 1 : 0;
        if (!isCut) this.#probes = 0;
        if (!this.#stream) this.#end(code, reason);
      });
  }

  async #listen(): Promise<void> {
    const stream = new AbortController();
    this.#stream = stream;
    this.#blocked = blockedAfter - 1; // if this fails too, a socket is next
    let end = { code: 1000, reason: "" };
    try {
      const response = await this.#options.stream?.(stream.signal);
      if (this.#stream === stream && response?.status === 200 && response.body) {
        this.#greet();
        await readEvents(response.body, (name, data) => {
          if (name === "end") end = JSON.parse(data);
          else if (this.#stream === stream) this.#events.onMessage(data && messageOf(data));
        });
      }
    } catch {
      // A broken stream ends like any other.
    }
    if (this.#stream === stream) this.#end(end.code, end.reason);
  }

  #greet(): void {
    this.#transport = "stream";
    this.#blocked = blockedAfter;
    this.#streams += 1;
    this.#probeLater();
    const greeting = {
      type: "system",
      event: "connected",
      connectionId: `stream ${this.#streams}`,
    };
    this.#events.onMessage(JSON.stringify(greeting));
  }

  #probeLater(): void {
    clearTimeout(this.#timer);
    this.#probes += 1;
    const waitMs = backoffMs(this.#probes, Math.random(), probeBaseMs, probeMaxMs);
    this.#timer = setTimeout(() => void this.#probe(), waitMs);
  }

  async #probe(): Promise<void> {
    const stream = this.#stream;
    this.#probeLater();
    try {
      const url = await this.#options.url();
      if (this.#stream !== stream) return;
      this.#socket?.close();
      this.#connect(url, false);
    } catch {
      // The next one may find more.
    }
  }

  #end(code: number, reason: string): void {
    this.close();
    this.#events.onClose(code, reason);
  }
}

function messageOf(data: string): string {
  return `{"type":"message","from":"server","data":${data}}`;
}
