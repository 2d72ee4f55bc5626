/**
 * The tabs of one browser that keep the same inbox: one leads, the others follow (docs/reference/client-core.md).
 *
 * The tab that leads has the line, reads, sends the actions of all, and writes what is kept. The others do to their state
 * what it did to its own, so they draw the same, and the next one to lead goes on from where the last one stood.
 */

import type { BareEvent, Company, Host, LineReport, News } from "../core/company.ts";
import type { Arrived, Effect, Operation, Refusal } from "../core/machine.ts";
import { Remembered } from "../core/remembered.ts";
import { Lead } from "./lead.ts";
import type { Attention, Sent, TabMessage } from "./messages.ts";
import { Tellers } from "./tellers.ts";
import { Untaken } from "./untaken.ts";

/** A tab that leads and does not answer within this time leads no more. */
const answerWithinMs = 4_000;
/** How often a tab that can be seen makes sure that somebody leads. */
const checkEveryMs = 10_000;
/** Who heard nothing of the line for longer does not know whether something was missed. */
const liveForMs = 30_000;
/** Own actions remembered, so that a refusal is told where the person acted. */
const mostActed = 100;

/** What of the browser is used. */
export interface Platform {
  readonly locks: LockManager;
  readonly openChannel: (name: string) => BroadcastChannel;
  readonly storage: () => Storage;
}

export class Tabs implements Company {
  readonly #name: string;
  readonly #host: Host;
  readonly #platform: Platform;
  readonly #tab = crypto.randomUUID();
  readonly #lead: Lead;
  readonly #tellers = new Tellers();
  readonly #untaken: Untaken;
  readonly #acted = new Remembered(mostActed);
  #channel: BroadcastChannel | null = null;
  /** The tab that this one follows. */
  #leader: string | null = null;
  #line: LineReport | null = null;
  #heardAt = 0;
  #taken: readonly string[] = [];
  #answerTimer: ReturnType<typeof setTimeout> | undefined;
  #checks: ReturnType<typeof setInterval> | undefined;

  constructor(name: string, host: Host, platform: Platform) {
    this.#name = name;
    this.#host = host;
    this.#platform = platform;
    this.#untaken = new Untaken(name, platform.storage);
    this.#lead = new Lead(platform.locks, name, this.#tab, {
      onThere: () => this.#look(),
      onLead: () => this.#begin(),
      onLost: () => this.#stepDown(),
      onGone: (tab) => this.#retell(this.#tellers.gone(tab)),
    });
  }

  get line(): LineReport | null {
    return this.#line;
  }

  join(): void {
    if (this.#channel) return;
    this.#channel = this.#platform.openChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#hear(data as Sent);
    for (const name of attentionEvents) globalThis.addEventListener?.(name, this.#look);
    this.#checks = setInterval(() => attention() > 0 && this.#expect("word"), checkEveryMs);
    this.#lead.join();
    this.#expect("all");
    this.#look();
  }

  leave(): void {
    this.#lead.leave();
    this.#channel?.close();
    this.#channel = null;
    this.#leader = this.#line = null;
    this.#expectNothing();
    clearInterval(this.#checks);
    for (const name of attentionEvents) globalThis.removeEventListener?.(name, this.#look);
  }

  share(event: BareEvent, effects: readonly Effect[]): readonly Effect[] {
    if (event.type === "act") this.#acted.add(event.op_id);
    if (this.#lead.isHeld) return this.#shareLead(effects);
    if (event.type === "act") this.#leaveToLeader(event.op_id);
    return this.#channel ? effects.filter(({ type }) => type !== "persist") : effects;
  }

  shareLine(): void {
    if (this.#lead.isHeld) this.#sayDid();
  }

  ask(what: "older" | "hurry"): boolean {
    if (this.#lead.isHeld || !this.#channel) return false;
    this.#expect(what);
    return true;
  }

  pass(news: News): void {
    if (news === "sign-out") this.#untaken.forget();
    this.#say({ kind: "news", news });
  }

  // Leading

  /** The last line may have been silent for long before its tab ended: then what a read brings is backlog. */
  #begin(): void {
    this.#leader = this.#line = null;
    this.#expectNothing();
    for (const tab of this.#tellers.tabs) this.#lead.watch(tab);
    this.#sayAll();
    if (Date.now() - this.#heardAt > liveForMs) this.#host.step({ type: "socket_closed" });
    this.#take(this.#untaken.all()); // and what this tab did on its own is written now
    this.#host.lead();
  }

  #stepDown(): void {
    this.#host.stepDown();
    this.#expect("all");
  }

  #shareLead(effects: readonly Effect[]): readonly Effect[] {
    const arrived = effects.flatMap((effect) => (effect.type === "arrived" ? effect.items : []));
    const refused = effects.filter((effect) => effect.type === "refused");
    if (
      refused.length > 0 ||
      effects.some(({ type }) => type === "changed" || type === "arrived")
    ) {
      this.#leave(arrived, refused);
    }
    return effects.filter(
      (effect) =>
        effect.type !== "arrived" && (effect.type !== "refused" || this.#acted.has(effect.op_id)),
    );
  }

  /** Leave what arrived to one tab; it is told here in the same turn as it is said to all, so there is no between. */
  #leave(all: readonly Arrived[], refused: readonly Refusal[] = []): void {
    const teller = this.#tellers.choose();
    const arrived = this.#tellers.untold(all);
    this.#sayDid({ arrived, refused, teller });
    if (arrived.length === 0) return;
    if (teller === this.#tab) this.#tell(arrived);
    else this.#tellers.leave(arrived, teller);
  }

  #tell(arrived: readonly Arrived[]): readonly string[] {
    const alertIds = arrived.map(({ alert_id }) => alert_id);
    this.#tellers.told(alertIds);
    this.#host.tell(arrived);
    return alertIds;
  }

  #retell(left: readonly Arrived[]): void {
    if (this.#lead.isHeld && left.length > 0) this.#leave(left);
  }

  #sayDid(more: Partial<Extract<TabMessage, { kind: "did" }>> = {}): void {
    const told = (more.arrived ?? []).map(({ alert_id }) => alert_id);
    const taken = this.#taken;
    this.#taken = [];
    this.#say({
      kind: "did",
      followed: { ...this.#host.core.followed, taken, told },
      arrived: [],
      refused: [],
      teller: this.#tab,
      line: this.#host.ownLine,
      ...more,
    });
  }

  #sayAll(to?: string): void {
    const { core } = this.#host;
    const whole = { snapshot: core.snapshot(), changes: [], told: core.told, taken: [] };
    this.#sayDid({ to, followed: { ...core.followed, ...whole } });
  }

  #answer(from: string, message: Extract<TabMessage, { kind: "ask" | "queue" }>): void {
    if (message.kind === "queue") {
      this.#taken = message.queue.map(({ op_id }) => op_id);
      this.#take(message.queue);
    } else if (message.what === "all") {
      this.#sayAll(from);
    } else if (message.what === "older") {
      this.#host.step({ type: "load_older" });
    } else if (message.what === "hurry") {
      this.#host.hurry();
    }
    if (message.kind === "ask" && message.what !== "all") this.#sayDid();
  }

  #take(queue: readonly Operation[]): void {
    this.#host.step({ type: "take", queue, told: [] });
    this.#untaken.drop(queue);
  }

  // Following

  #hear(message: Sent): void {
    const { from, kind } = message;
    switch (kind) {
      case "did":
        this.#hearDid(message);
        break;
      case "look":
        this.#tellers.note(from, message.attention);
        if (this.#lead.isHeld) this.#lead.watch(from);
        break;
      case "told":
        this.#tellers.told(message.alertIds);
        break;
      case "news":
        if (message.news === "sign-out") this.#untaken.forget();
        this.#host.passed(message.news);
        break;
      default:
        if (this.#lead.isHeld) this.#answer(from, message);
    }
  }

  #hearDid(message: Extract<Sent, { kind: "did" }>): void {
    const { from, to, followed, arrived, teller, refused } = message;
    if (teller === from) this.#tellers.told(arrived.map(({ alert_id }) => alert_id));
    else if (teller !== this.#tab) this.#tellers.leave(arrived, teller);
    if (this.#lead.isHeld) {
      // It may have been found gone before this was heard.
      this.#lead.watch(teller);
      // What the tab that led before said last: it is told already.
      if (arrived.length > 0) this.#host.step({ type: "take", ...followed });
    } else if (to === undefined || to === this.#tab) {
      this.#follow(message);
    }
    const mine = teller === this.#tab ? this.#tellers.untold(arrived) : [];
    if (mine.length > 0) this.#say({ kind: "told", alertIds: this.#tell(mine) });
    for (const refusal of refused) if (this.#acted.has(refusal.op_id)) this.#host.refuse(refusal);
  }

  #follow({ from, followed, line }: Extract<Sent, { kind: "did" }>): void {
    const isNew = from !== this.#leader;
    if (isNew && !followed.snapshot) {
      this.#expect("all");
      return;
    }
    this.#leader = from;
    this.#line = line;
    this.#heardAt = Date.now();
    this.#expectNothing();
    this.#host.step({ type: "follow", followed });
    this.#host.lineChanged();
    if (!isNew) return;
    this.#look();
    this.#sayQueue();
  }

  /** Ask the tab that leads, and lead if it does not answer. */
  #expect(what: "all" | "older" | "hurry" | "word"): void {
    if (this.#lead.isHeld || !this.#channel) return;
    this.#say({ kind: "ask", what });
    this.#answerTimer ??= setTimeout(() => {
      this.#answerTimer = undefined;
      this.#lead.take();
    }, answerWithinMs);
  }

  #expectNothing(): void {
    clearTimeout(this.#answerTimer);
    this.#answerTimer = undefined;
  }

  #leaveToLeader(opId: string): void {
    const acted = this.#host.core.followed.queue.find(({ op_id }) => op_id === opId);
    if (acted && this.#channel) this.#untaken.keep(acted);
    this.#sayQueue();
  }

  #sayQueue(): void {
    const { queue } = this.#host.core.followed;
    if (queue.length > 0) this.#say({ kind: "queue", queue });
  }

  readonly #look = (): void => {
    this.#tellers.note(this.#tab, attention());
    if (this.#lead.isThere) this.#say({ kind: "look", attention: attention() });
  };

  #say(message: TabMessage): void {
    this.#channel?.postMessage({ ...message, from: this.#tab });
  }
}

const attentionEvents = ["focus", "blur", "visibilitychange"] as const;

function attention(): Attention {
  const page = globalThis.document;
  if (page?.visibilityState !== "visible") return 0;
  return page.hasFocus() ? 2 : 1;
}
