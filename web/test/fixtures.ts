/** Values of the protocol, as short as a test allows. */

import { InboxCore } from "../src/core/inbox-core.ts";
import type { CoreEvent, Effect, RequestEffect } from "../src/core/machine.ts";
import type {
  Alert,
  Broadcast,
  BroadcastFrame,
  ChangesAnswer,
  HeadFrame,
  InboxAnswer,
  InboxFrame,
  OwnItem,
  Position,
  Watermarks,
} from "../src/core/protocol.ts";

export const epoch = "e1";
export const watermarks: Watermarks = {
  seen_up_to: 0,
  read_up_to: 0,
  b_seen_up_to: 0,
  b_read_up_to: 0,
};

export function alertOf(title: string, change: Partial<Alert> = {}): Alert {
  return {
    source: "test",
    title,
    severity: "info",
    created_at: "2026-11-22T12:00:00.000Z",
    ...change,
  };
}

export function own(id: string, sort: number, change: Partial<OwnItem> = {}): OwnItem {
  return { id, alert_id: id, sort, rev: 1, alert: alertOf(id), ...change };
}

export function broadcast(brev: number, sort: number): Broadcast {
  return { brev, alert_id: `b${brev}`, sort, alert: alertOf(`b${brev}`) };
}

export function at(rev: number, brev = 0): Position {
  return { epoch, rev, brev };
}

export function inboxAnswer(
  position: Position,
  items: readonly OwnItem[],
  change: Partial<InboxAnswer> = {},
): InboxAnswer {
  const counts = { unseen: items.length, unread: items.length };
  return { position, items, end: null, broadcasts: [], states: [], watermarks, counts, ...change };
}

export function changesAnswer(
  position: Position,
  items: readonly OwnItem[],
  change: Partial<ChangesAnswer> = {},
): ChangesAnswer {
  const counts = { unseen: items.length, unread: items.length };
  return { position, items, removed: [], states: [], watermarks, counts, ...change };
}

export function inboxFrame(
  rev: number,
  items: readonly OwnItem[],
  unread: number,
  change: Partial<InboxFrame> = {},
): InboxFrame {
  const counts = { unseen: unread, unread };
  const rest = { removed: [], states: [], watermarks, counts };
  return { tocsin: 1, kind: "inbox", epoch, rev, items, ...rest, ...change };
}

export function addFrame(entry: Broadcast): BroadcastFrame {
  return { tocsin: 1, kind: "broadcast", epoch, brev: entry.brev, add: entry };
}

export function head(rev: number, brev = 0, spread?: number): HeadFrame {
  const known = { tocsin: 1, kind: "head", epoch, rev, brev } as const;
  return spread === undefined ? known : { ...known, spread };
}

type Bare<Event> = Event extends CoreEvent ? Omit<Event, "now" | "random"> : never;

/** A core with a clock that stands still and randomness that is always one half. */
export class Driven {
  readonly core: InboxCore;
  now = 1_000;
  effects: Effect[] = [];

  constructor(options: ConstructorParameters<typeof InboxCore>[0] = {}) {
    this.core = new InboxCore(options);
  }

  step(event: Bare<CoreEvent>): Effect[] {
    const stamped = { ...event, now: this.now, random: 0.5 } as CoreEvent;
    this.effects = this.core.step(stamped);
    return this.effects;
  }

  /** The requests of the last step. */
  get requests(): RequestEffect[] {
    return this.effects.filter((effect) => effect.type === "request");
  }

  timer(name: string): number | undefined {
    const set = this.effects.find((effect) => effect.type === "timer" && effect.timer === name);
    return set?.type === "timer" ? set.delay_ms : undefined;
  }

  /** Answer the one request of the last step. */
  answer(body: unknown, status = 200): Effect[] {
    const request = this.requests[0]?.request ?? -1;
    return this.step({ type: "answer", request, status, body });
  }

  /** Start, connect, and read this page. */
  online(answer: InboxAnswer): this {
    this.step({ type: "start", stored: null });
    this.step({ type: "socket_open" });
    this.answer(answer);
    return this;
  }

  frame(frame: unknown): Effect[] {
    return this.step({ type: "frame", frame });
  }

  get titles(): string[] {
    return this.core.view().items.map((item) => item.alert.title);
  }
}
