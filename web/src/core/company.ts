/** What a client and the other tabs of the same inbox are to each other; src/browser has the tabs of one. */

import type { InboxCore } from "./inbox-core.ts";
import type { LineState } from "./inbox-status.ts";
import type { Transport } from "./line.ts";
import type { Arrived, CoreEvent, Effect, Refusal } from "./machine.ts";

export interface LineReport extends LineState {
  readonly transport: Transport;
}

/** The person signed out; or the server said that their preferences are others now. */
export type News = "sign-out" | "preferences";

type Bare<Event> = Event extends CoreEvent ? Omit<Event, "now" | "random"> : never;

/** An event of the core that still lacks the time and the random number. */
export type BareEvent = Bare<CoreEvent>;

/** One of the tabs of an inbox leads: it alone has a line to the server, and writes what is kept. */
export interface Company {
  /** The line of the tab that leads; null while this tab leads, or none is known to. */
  readonly line: LineReport | null;
  /** Follow the tab that leads, or lead. */
  join(): void;
  /** Neither lead nor follow; another tab may. */
  leave(): void;
  /** Tell the other tabs what a step did; returns what of it this tab is to carry out. */
  share(event: BareEvent, effects: readonly Effect[]): readonly Effect[];
  /** Tell the other tabs how the line is now. */
  shareLine(): void;
  /** Have the tab that leads do it; false if this tab is to do it itself. */
  ask(what: "older" | "hurry"): boolean;
  /** Pass news on to all other tabs. */
  pass(news: News): void;
}

/** A client, as its company uses it. */
export interface Host {
  readonly core: Pick<InboxCore, "followed" | "told" | "snapshot">;
  readonly ownLine: LineReport;
  step(event: BareEvent): void;
  /** Open the line: this tab leads. */
  lead(): void;
  /** Close the line: another tab leads. */
  stepDown(): void;
  hurry(): void;
  /** The line of the tab that leads may be another. */
  lineChanged(): void;
  /** Tell that these alerts arrived. */
  tell(items: readonly Arrived[]): void;
  /** Tell that an action of this tab was refused. */
  refuse(refusal: Refusal): void;
  /** Another tab passed news on. */
  passed(news: News): void;
}

/** Finds the company of the inbox of this name; null where tabs cannot know of each other. */
export type FindCompany = (name: string, host: Host) => Company | null;
