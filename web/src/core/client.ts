/**
 * One person's inbox, kept equal to the server's: what an application uses.
 *
 * The client drives the core (inbox-core.ts): it carries the core's effects out, brings back what
 * came of them, and tells subscribers when the view changed. It draws nothing.
 */

import type { ClientEvents, InboxView } from "./client-events.ts";
import type { ClientOptions, Surroundings } from "./client-options.ts";
import type { BareEvent, Company, Host, LineReport } from "./company.ts";
import { deviceId } from "./device.ts";
import { type Answer, Driver, Requests } from "./driver.ts";
import { Emitter } from "./emitter.ts";
import { InboxCore } from "./inbox-core.ts";
import { ItemActs, type ItemKey } from "./item-acts.ts";
import type { Transport } from "./line.ts";
import { type Action, type CoreEvent, defaultCoreOptions, type Effect } from "./machine.ts";
import { newOpId } from "./op-id.ts";
import { kindOf } from "./protocol.ts";
import { type ReceiptFact, Receipts } from "./receipts.ts";
import type { ServerRequest } from "./requests.ts";
import { Saving } from "./saving.ts";
import { ReliableSocket, type SocketStatus } from "./socket.ts";
import { Telling } from "./telling.ts";
import { Credentials, providerOf } from "./tokens.ts";

export class TocsinClient extends ItemActs {
  /** This installation's name. */
  readonly device: string;
  readonly endpoint: string | undefined;
  readonly hub: string;
  readonly tokenUrl: string | undefined;
  #core: InboxCore;
  readonly #events = new Emitter<ClientEvents>();
  readonly #telling: Telling;
  readonly #credentials: Credentials;
  readonly #requests: Requests;
  readonly #driver: Driver;
  readonly #receipts: Receipts;
  readonly #socket: ReliableSocket;
  #saving: Saving | null = null;
  #surroundings: Surroundings = {};
  readonly #options: ClientOptions;
  /** Names the inbox among all of this browser; undefined where nothing is kept. */
  readonly #person: string | undefined;
  #company: Company | null = null;
  readonly #leaving = new Set<() => Promise<unknown>>();
  #started: Promise<void> | null = null;
  #stopWatching: (() => void) | undefined;
  #wantsConnection = false;

  constructor(options: ClientOptions) {
    super();
    const endpoint = options.endpoint?.replace(/\/+$/, "");
    const hub = options.hub ?? "default";
    const core = { ...defaultCoreOptions, ...options.core };
    const credentials = new Credentials(providerOf(options), endpoint, hub);
    const device = options.device ?? deviceId();
    this.#options = options;
    this.device = device;
    this.endpoint = endpoint;
    this.hub = hub;
    this.tokenUrl = options.tokenUrl;
    const fetcher = options.fetch ?? ((...call) => fetch(...call));
    this.#core = new InboxCore(core);
    this.#telling = new Telling(this.#events, {
      view: () => this.#core.view(),
      line: () => this.#line,
    });
    this.#credentials = credentials;
    this.#requests = new Requests(credentials, fetcher, core.read_deadline_ms, device);
    this.#driver = new Driver(this.#requests, (event) => this.#step(event));
    this.#person = options.user && JSON.stringify([endpoint ?? "", hub, options.user]);
    this.#receipts = new Receipts(
      async (receipts) => {
        const path = "/v1/inbox/receipts";
        const request = { method: "POST", path, body: { receipts }, keepalive: true } as const;
        return (await this.#requests.send(request)).status;
      },
      this.#person ? `tocsin-receipts ${this.#person}` : null,
    );
    this.#events.on("status", (status) => {
      if (status === "online") void this.#receipts.flush();
    });
    this.#socket = new ReliableSocket({
      url: async () => {
        const { socketUrl } = await credentials.fresh();
        return `${socketUrl}&device=${encodeURIComponent(device)}`;
      },
      stream: (signal) => this.#requests.stream(signal),
      onOpen: () => this.#step({ type: "socket_open" }),
      onLost: () => this.#step({ type: "socket_closed" }),
      onData: (frame) => {
        const kind = kindOf(frame);
        if (kind === "token") void this.#renew();
        else if (kind === "preferences") {
          this.#company?.pass(kind);
          this.#events.emit(kind, undefined);
        } else this.#step({ type: "frame", frame });
      },
      onStatus: () => this.#lineChanged(),
      WebSocket: options.WebSocket,
    });
  }

  /** Show what an earlier visit left, then connect and stay connected. Returns at once. */
  connect(): void {
    this.#wantsConnection = true;
    void this.#start().then(() => this.#join());
  }

  /** Disconnect and write what is not stored yet; `connect` takes up again where it was. */
  async close(): Promise<void> {
    this.#wantsConnection = false;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#receipts.close();
    await this.#leave();
  }

  /**
   * Sign this person out of this browser, in every tab: what is kept of the inbox, actions that wait and receipts that
   * wait are forgotten, the server pushes no more to this device, and nothing is shown. It does not end the person's
   * session at your backend. Resolves when all of it is done; a server that cannot be reached is given up after 10 s.
   */
  async signOut(): Promise<void> {
    const device = encodeURIComponent(this.device);
    const undone = [...this.#leaving].map((leave) => leave());
    undone.push(this.send({ method: "DELETE", path: `/v1/devices/${device}` }));
    await Promise.allSettled(undone);
    this.#company?.pass("sign-out");
    await this.#forget();
  }

  /** Have `leave` done, and waited for, when this person signs out here; returns how to take it back. */
  beforeSignOut(leave: () => Promise<unknown>): () => void {
    this.#leaving.add(leave);
    return () => this.#leaving.delete(leave);
  }

  /** Do not wait for the next attempt to connect; of an open line make sure that the server is there, and in step. */
  hurry(): void {
    if (!this.#company?.ask("hurry")) this.#socket.hurry();
  }

  /** How the line is: this tab's, or that of the tab that leads. */
  get status(): SocketStatus {
    return this.#line.socket;
  }

  /** What frames come over: `socket`, or `stream` (server-sent events) where sockets are blocked. */
  get transport(): Transport {
    return this.#line.transport;
  }

  /** The inbox as it is to be drawn; the same object until it changes. */
  override view(): InboxView {
    return this.#telling.view;
  }

  /** Call `listener` with every new view, after the current task; returns how to stop it. */
  subscribe(listener: (view: InboxView) => void): () => void {
    return this.#events.on("view", listener);
  }

  /** Call `listener` on every such event; returns how to stop it. */
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (value: ClientEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener);
  }

  /** Tell what happened to an alert on this device; `action` is the id of the one pressed. */
  override tell({ alert_id }: Pick<ItemKey, "alert_id">, fact: ReceiptFact, action?: string): void {
    this.#receipts.tell(alert_id, fact, action);
  }

  /** Whether this page has told such a fact of an alert. */
  hasTold({ alert_id }: Pick<ItemKey, "alert_id">, fact: ReceiptFact): boolean {
    return this.#receipts.hasTold(alert_id, fact);
  }

  /**
   * Ask the server something else, with this client's token.
   *
   * @throws When there was no answer in time, or none that can be read.
   */
  send(request: ServerRequest): Promise<Answer> {
    return this.#requests.send(request);
  }

  loadOlder(): void {
    if (!this.#company?.ask("older")) this.#step({ type: "load_older" });
  }

  get #line(): LineReport {
    return this.#company?.line ?? this.#ownLine;
  }

  get #ownLine(): LineReport {
    const { status: socket, failures, transport } = this.#socket;
    return { socket, failures, transport, isRefused: this.#credentials.isRefused };
  }

  #host(): Host {
    const client = this;
    return {
      get core() {
        return client.#core;
      },
      get ownLine() {
        return client.#ownLine;
      },
      step: (event) => this.#step(event),
      lead: () => this.#socket.open(),
      stepDown: () => this.#socket.close(),
      hurry: () => this.#socket.hurry(),
      lineChanged: () => this.#lineChanged(),
      tell: (items) => this.#events.emit("arrived", items),
      refuse: (refusal) => this.#events.emit("refused", refusal),
      passed: (news) => {
        if (news === "preferences") this.#events.emit(news, undefined);
        else void this.#forget();
      },
    };
  }

  /** Tell for a stream what a socket says by its acknowledgements; of broadcasts neither says it. */
  #tellReceived(effects: readonly Effect[]): void {
    if (this.#socket.transport === "socket") return;
    for (const effect of effects) {
      if (effect.type !== "arrived") continue;
      for (const item of effect.items) if (!("brev" in item)) this.tell(item, "received");
    }
  }

  #start(): Promise<void> {
    this.#started ??= this.#begin();
    return this.#started;
  }

  async #begin(): Promise<void> {
    const { surroundings, store } = this.#options;
    // What cannot be loaded is done without.
    this.#surroundings = (await surroundings?.().catch(() => null)) ?? {};
    const person = this.#person;
    const kept = store ?? this.#surroundings.store;
    if (person && kept) {
      this.#saving = new Saving(kept, person, (stored) => this.#step({ type: "conflict", stored }));
    }
    await this.#saving?.read((stored) => this.#step({ type: "start", stored }));
    if (!person) return;
    // Another device of the same person is no company, even in the same browser.
    this.#company = this.#surroundings.company?.(`${person} ${this.device}`, this.#host()) ?? null;
  }

  #join(): void {
    if (!this.#wantsConnection || this.#telling.isSignedOut) return;
    this.#stopWatching ??= this.#surroundings.watch?.({
      onLook: () => this.hurry(),
      onSleep: () => void this.#leave(),
      onWake: () => this.#join(),
    });
    if (this.#company) this.#company.join();
    else this.#socket.open();
  }

  async #leave(): Promise<void> {
    this.#company?.leave();
    this.#socket.close();
    await this.#saving?.flush();
  }

  async #forget(): Promise<void> {
    this.#telling.isSignedOut = true;
    this.#receipts.forget();
    await Promise.all([this.#saving?.forget(), this.close()]);
    this.#core = new InboxCore();
    this.#telling.tellLater();
  }

  protected override act(action: Action): void {
    const op_id = newOpId();
    void this.#start().then(() => this.#step({ type: "act", op_id, action }));
  }

  #step(event: BareEvent): void {
    const stamped = { ...event, now: Date.now(), random: Math.random() } as CoreEvent;
    const effects = this.#core.step(stamped);
    this.#tellReceived(effects);
    for (const effect of this.#company?.share(event, effects) ?? effects) this.#carryOut(effect);
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case "arrived":
        this.#events.emit("arrived", effect.items);
        break;
      case "refused":
        this.#events.emit("refused", effect);
        break;
      case "changed":
        this.#telling.tellLater();
        break;
      case "persist":
        this.#saving?.save(effect);
        break;
      default:
        this.#driver.carryOut(effect);
    }
  }

  /** Without another token the server ends the connection, and the next one begins with asking again. */
  async #renew(): Promise<void> {
    const fresh = await this.#credentials.fresh().catch(() => null);
    if (fresh) this.#socket.raise("tocsin.token", fresh.token);
  }

  #lineChanged(): void {
    this.#company?.shareLine();
    this.#telling.tellLine();
  }
}
