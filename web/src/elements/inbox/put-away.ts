/** Alerts that were put away, snoozed or archived: fetched page by page when looked at, and not kept equal. */

import type { TocsinClient, ViewItem } from "../../core/index.ts";
import type { Tab } from "./inbox.header.ts";

/** How a row that was put away comes back to the inbox. */
export type WayBack = "unsnooze" | "unarchive";

/** By the tabs that show what was put away. */
export const waysBack: Readonly<Partial<Record<Tab, WayBack>>> = {
  snoozed: "unsnooze",
  archived: "unarchive",
};

export class PutAway {
  items: readonly ViewItem[] = [];
  standing: "loading" | "ready" | "failed" = "loading";
  #client: TocsinClient | null = null;
  #tab: Tab = "archived";
  #next: string | null = null;
  /** Counts fetches, so that an answer that comes too late is not taken. */
  #fetch = 0;
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get isComplete(): boolean {
    return this.#next === null;
  }

  /** Begin anew with the newest page of a tab; what is shown of it stays until that comes. */
  async load(client: TocsinClient | null, tab: Tab): Promise<void> {
    if (tab !== this.#tab) this.items = [];
    this.#client = client;
    this.#tab = tab;
    await this.#take(null);
  }

  /** Add the next page. */
  async loadOlder(): Promise<void> {
    if (this.standing !== "loading") await this.#take(this.#next);
  }

  /** Take these out at once: something was done to them, or they are back. */
  drop(gone: readonly ViewItem[]): void {
    const ids = new Set(gone.map(({ id }) => id));
    if (this.items.some(({ id }) => ids.has(id))) {
      this.items = this.items.filter(({ id }) => !ids.has(id));
    }
  }

  async #take(cursor: string | null): Promise<void> {
    this.#fetch += 1;
    const fetch = this.#fetch;
    this.#say("loading");
    try {
      const page = await this.#client?.list({ status: this.#tab, cursor });
      if (!page || fetch !== this.#fetch) return;
      this.items = cursor === null ? page.items : [...this.items, ...page.items];
      this.#next = page.next;
      this.#say("ready");
    } catch {
      if (fetch === this.#fetch) this.#say("failed");
    }
  }

  #say(standing: PutAway["standing"]): void {
    this.standing = standing;
    this.#onChange();
  }
}
