/**
 * A small client of `json.reliable.webpubsub.azure.v1` that keeps one connection alive, over a socket or a
 * stream (line.ts).
 *
 * A broken line is taken up again by its reconnection token, and the server replays what was
 * missed; when that is not possible a new connection is made and the caller is told, because frames
 * may be missing from then on. Waits are jittered and follow the server's close codes, so a thousand
 * clients of a restarted server do not come back in one moment.
 *
 * It does not publish or join groups.
 */

import { backoffMs } from "./backoff.ts";
import { type Comeback, comebackAfter } from "./close-codes.ts";
import { Line, type LineOptions, type Transport } from "./line.ts";
import { parseMessage, recoveryUrl, type Session } from "./wire.ts";

const beatMs = 5_000;
const pingEveryMs = 20_000;
/** A line that says nothing for so long, a ping included, is dead. */
const silentAfterMs = 45_000;
/** An open line that is asked must say something within this time, before it is trusted. */
const verifyWithinMs = 3_000;
/** A stream cannot be asked; it says something at least this often. */
const streamBeatMs = 30_000;
const connectDeadlineMs = 15_000;
const recoveryWindowMs = 30_000;
const ackAfterMs = 1_000;
const ackAtOnceBehind = 300;
/** A connection that lived this long was a success: the next failure begins a new backoff. */
const settledAfterMs = 10_000;
const firstWaitMs = 250;
const backoffBaseMs = 500;
const backoffMaxMs = 30_000;
/** While the server still keeps the connection, it is worth trying more often. */
const recoveryBackoffMaxMs = 4_000;

/** `online`: frames flow. `recovering`: the line broke, nothing is lost yet. `offline`: it may be. */
export type SocketStatus = "closed" | "connecting" | "online" | "recovering" | "offline";

/** `url` is asked before every new connection. */
export interface SocketOptions extends LineOptions {
  /** A new connection is up: everything from here on arrives. */
  readonly onOpen: () => void;
  /** The connection is gone, and with it what it would have replayed. */
  readonly onLost: () => void;
  /** The `data` of a message from the server; messages from groups are not told. */
  readonly onData: (data: unknown) => void;
  /** Told when it becomes another, and when an attempt to connect has failed again. */
  readonly onStatus?: ((status: SocketStatus) => void) | undefined;
  /** In [0, 1). Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

export class ReliableSocket {
  readonly #options: SocketOptions;
  readonly #line: Line;
  #status: SocketStatus = "closed";
  /** Whether a line is open, or opening. */
  #isAttached = false;
  #session: Session | null = null;
  /** Counts connection attempts, so that a URL that comes too late is not used. */
  #attempt = 0;
  /** Failures since a connection last settled. */
  #failures = 0;
  #address = "";
  #onlineAt = 0;
  #brokenAt = 0;
  #heardAt = 0;
  #pingedAt = 0;
  #sequence = 0;
  #acknowledged = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;
  #verifyTimer: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#line = new Line(options, {
      onOpen: () => this.#session && this.#online(),
      onMessage: (text) => this.#hear(text),
      onClose: (code, reason) => this.#closed(code, reason),
    });
  }

  get transport(): Transport {
    return this.#line.transport;
  }

  get status(): SocketStatus {
    return this.#status;
  }

  /** Lines that broke or could not be opened, since one settled. */
  get failures(): number {
    return this.#failures;
  }

  /** Connect, and stay connected until `close`. Returns at once. */
  open(): void {
    if (this.#status !== "closed") return;
    this.#failures = 0;
    this.#setStatus("connecting");
    void this.#connect();
  }

  /** Close for good; the server forgets the connection at once. */
  close(): void {
    if (this.#status === "closed") return;
    this.#attempt += 1;
    this.#stopWaiting();
    this.#detach(1000);
    this.#forget();
    this.#setStatus("closed");
  }

  /**
   * Do not wait any longer: the network came back, or somebody looks again. A line that looks open is asked
   * where the server stands, and is taken up anew if nothing comes soon.
   */
  hurry(): void {
    if (this.#status === "online") this.#verify();
    else if (this.#isAttached) this.#beat();
    else if (this.#stopWaiting()) void this.#connect();
  }

  /** Tell the server something, once: an event without an acknowledgement. */
  raise(event: string, data: string): void {
    this.#send({ type: "event", event, dataType: "text", data });
  }

  async #connect(): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const isTooLate = Date.now() - this.#brokenAt > recoveryWindowMs;
    if (this.#session && (isTooLate || this.#line.isBlocked)) {
      this.#forget();
      this.#setStatus("offline");
    }
    try {
      const session = this.#session;
      const url = session ? recoveryUrl(session) : await this.#options.url();
      if (attempt === this.#attempt) this.#attach(url);
    } catch {
      if (attempt === this.#attempt) this.#comeBack({ how: "backoff" });
    }
  }

  #attach(url: string): void {
    this.#isAttached = true;
    this.#address = url;
    this.#heardAt = Date.now();
    this.#heartbeat = setInterval(() => this.#beat(), beatMs);
    this.#line.open(url, this.#session !== null);
  }

  /** Leave the line to itself; what it still says is not heard. */
  #detach(code: number, reason?: string): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#ackTimer);
    clearTimeout(this.#verifyTimer);
    this.#ackTimer = undefined;
    this.#isAttached = false;
    this.#line.close(code, reason);
  }

  #hear(text: unknown): void {
    this.#heardAt = Date.now();
    const message = parseMessage(text, this.#address);
    if (message?.type === "connected") this.#connected(message.session);
    if (message?.type === "data" && this.#isNew(message.sequence) && message.fromServer) {
      this.#options.onData(message.data);
    }
  }

  #connected(session: Session): void {
    const isNew = session.id !== this.#session?.id;
    if (isNew) {
      this.#forget();
      this.#sequence = 0;
    }
    this.#session = session;
    this.#online();
    if (isNew) this.#options.onOpen();
  }

  #online(): void {
    this.#onlineAt = Date.now();
    this.#pingedAt = this.#onlineAt;
    this.#acknowledged = 0;
    if (this.#sequence > 0) this.#acknowledgeSoon();
    this.#setStatus("online");
  }

  /** The connection cannot be taken up again: tell the caller, if it knows of one. */
  #forget(): void {
    const known = this.#session !== null;
    this.#session = null;
    if (known) this.#options.onLost();
  }

  #closed(code: number, reason: string): void {
    const comeback = comebackAfter(code, reason);
    this.#detach(code);
    if (comeback.how !== "recover") this.#forget();
    this.#comeBack(comeback);
  }

  #comeBack(comeback: Comeback): void {
    const now = Date.now();
    if (this.#status === "online") {
      this.#brokenAt = now;
      if (now - this.#onlineAt >= settledAfterMs) this.#failures = 0;
    }
    this.#failures += 1;
    this.#status = this.#session ? "recovering" : "offline";
    this.#options.onStatus?.(this.#status);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      void this.#connect();
    }, this.#waitMs(comeback));
  }

  #waitMs(comeback: Comeback): number {
    const random = (this.#options.random ?? Math.random)();
    if (comeback.how === "fresh" && comeback.afterMs > 0) {
      return comeback.afterMs * (0.5 + random / 2);
    }
    const longestMs = this.#session ? recoveryBackoffMaxMs : backoffMaxMs;
    const atOnce = comeback.how !== "backoff" && this.#failures === 1;
    return atOnce
      ? firstWaitMs * random
      : backoffMs(this.#failures, random, backoffBaseMs, longestMs);
  }

  #stopWaiting(): boolean {
    const waited = this.#retryTimer !== undefined;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    return waited;
  }

  #verify(): void {
    const heardSince = Date.now() - (this.transport === "stream" ? streamBeatMs : 0);
    this.raise("tocsin.head", "");
    clearTimeout(this.#verifyTimer);
    this.#verifyTimer = setTimeout(() => {
      if (this.#status === "online" && this.#heardAt < heardSince) this.#giveUp();
    }, verifyWithinMs);
  }

  /** Nobody is there. The close is not 1000: the server shall keep what it would replay. */
  #giveUp(): void {
    this.#detach(4000, "silent");
    this.#comeBack({ how: "recover" });
  }

  #beat(): void {
    const now = Date.now();
    const isOnline = this.#status === "online";
    const isAsked = isOnline && this.#pingedAt > this.#heardAt;
    const silentMs = now - this.#heardAt;
    if (isAsked ? silentMs >= silentAfterMs : !isOnline && silentMs >= connectDeadlineMs) {
      this.#giveUp();
    } else if (isOnline && !isAsked && now - this.#pingedAt >= pingEveryMs) {
      this.#pingedAt = now;
      this.#send({ type: "ping" });
    }
  }

  /** Whether a message was not heard before; the ones without a number always count as new. */
  #isNew(sequence: number | null): boolean {
    if (sequence === null) return true;
    const isNew = sequence > this.#sequence;
    if (isNew) this.#sequence = sequence;
    if (this.#sequence - this.#acknowledged >= ackAtOnceBehind) this.#acknowledge();
    else this.#acknowledgeSoon();
    return isNew;
  }

  #acknowledgeSoon(): void {
    this.#ackTimer ??= setTimeout(() => this.#acknowledge(), ackAfterMs);
  }

  #acknowledge(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#acknowledged = this.#sequence;
    this.#send({ type: "sequenceAck", sequenceId: this.#sequence });
  }

  #send(message: object): void {
    this.#line.send(JSON.stringify(message));
  }

  #setStatus(status: SocketStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#options.onStatus?.(status);
  }
}
