/** What the tabs of one inbox say to each other; structured clones, of this version only (the channel's name has it). */

import type { LineReport, News } from "../core/company.ts";
import type { Arrived, Followed, Operation, Refusal } from "../core/machine.ts";

/** How much a tab is looked at: it has the focus, it can be seen, or neither. */
export type Attention = 2 | 1 | 0;

export type TabMessage =
  /** From the tab that leads: what it did, or with a snapshot all of it, to `to` only if it is given. */
  | {
      readonly kind: "did";
      readonly to?: string | undefined;
      readonly followed: Followed;
      readonly arrived: readonly Arrived[];
      /** The tab that is to tell what arrived. */
      readonly teller: string;
      readonly refused: readonly Refusal[];
      readonly line: LineReport;
    }
  /** To the tab that leads. Whatever is asked, it answers at once, and so shows that it lives. */
  | { readonly kind: "ask"; readonly what: "all" | "older" | "hurry" | "word" }
  /** To the tab that leads: actions of a person in a tab that follows. */
  | { readonly kind: "queue"; readonly queue: readonly Operation[] }
  /** A tab is looked at, or no more. */
  | { readonly kind: "look"; readonly attention: Attention }
  /** What was told in the tab that it was left to. */
  | { readonly kind: "told"; readonly alertIds: readonly string[] }
  /** What concerns every tab. */
  | { readonly kind: "news"; readonly news: News };

export type Sent = TabMessage & { readonly from: string };
