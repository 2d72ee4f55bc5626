/** The archived alerts: fetched page by page when they are looked at, and not kept equal. */

import type { TocsinClient, ViewItem } from "../../core/index.ts";

export class Archived {
  items: readonly ViewItem[] = [];
  standing: "loading" | "ready" | "failed" = "loading";
  #client: TocsinClient | null = null;
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

  /** Begin anew with the newest page; what is shown stays until it comes. */
  async load(client: TocsinClient | null): Promise<void> {
    this.#client = client;
    await this.#take(null);
  }

  /** Add the next page. */
  async loadOlder(): Promise<void> {
    if (this.standing !== "loading") await this.#take(this.#next);
  }

  /** Take these out at once: something was done to them. */
  drop(gone: readonly ViewItem[]): void {
    this.items = this.items.filter((item) => !gone.includes(item));
  }

  async #take(cursor: string | null): Promise<void> {
    this.#fetch += 1;
    const fetch = this.#fetch;
    this.#say("loading");
    try {
      const page = await this.#client?.list({ status: "archived", cursor });
      if (!page || fetch !== this.#fetch) return;
      this.items = cursor === null ? page.items : [...this.items, ...page.items];
      this.#next = page.next;
      this.#say("ready");
    } catch {
      if (fetch === this.#fetch) this.#say("failed");
    }
  }

  #say(standing: Archived["standing"]): void {
    this.standing = standing;
    this.#onChange();
  }
}
