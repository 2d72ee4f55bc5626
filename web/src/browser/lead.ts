/** Which tab leads, and which are there, by Web Locks: the browser releases them when a tab ends, however it ends. */

export interface LeadEvents {
  /** This tab is there: others may watch it. */
  readonly onThere: () => void;
  readonly onLead: () => void;
  /** Another tab took the lead: this one was silent for too long. */
  readonly onLost: () => void;
  /** A tab that was watched is gone. */
  readonly onGone: (tab: string) => void;
}

export class Lead {
  readonly #name: string;
  readonly #tab: string;
  readonly #events: LeadEvents;
  readonly #locks: LockManager;
  #life = new AbortController();
  readonly #watched = new Set<string>();
  isHeld = false;
  /** Whoever watches a tab before it is there would take it for one that is gone. */
  isThere = false;

  constructor(locks: LockManager, name: string, tab: string, events: LeadEvents) {
    this.#locks = locks;
    this.#name = name;
    this.#tab = tab;
    this.#events = events;
    this.#life.abort();
  }

  /** Be there, and lead as soon as no other tab does. */
  join(): void {
    if (!this.#life.signal.aborted) return;
    const life = new AbortController();
    this.#life = life;
    void this.#hold(this.#lockOf(this.#tab), life, () => {
      this.isThere = true;
      this.#events.onThere();
      return undefined;
    });
    void this.#queue(life);
  }

  /** Be gone. */
  leave(): void {
    this.#life.abort();
    this.#watched.clear();
    this.isHeld = this.isThere = false;
  }

  /** Lead at once: the tab that leads does not answer. */
  take(): void {
    if (!this.isHeld && !this.#life.signal.aborted) void this.#queue(this.#life, true);
  }

  /** Tell when this tab is gone. */
  watch(tab: string): void {
    if (this.#watched.has(tab) || tab === this.#tab) return;
    this.#watched.add(tab);
    const life = this.#life;
    void this.#hold(this.#lockOf(tab), life, () => {
      this.#watched.delete(tab);
      this.#events.onGone(tab);
      return "release";
    });
  }

  async #queue(life: AbortController, steal = false): Promise<void> {
    const wasHeld = await this.#hold(
      `${this.#name} lead`,
      life,
      () => {
        this.isHeld = true;
        this.#events.onLead();
        return undefined;
      },
      steal,
    );
    if (!wasHeld || life.signal.aborted) return;
    this.isHeld = false;
    this.#events.onLost();
    void this.#queue(life);
  }

  /** Hold a lock until this life ends, or another tab takes it; returns whether it was ever held. */
  async #hold(
    name: string,
    life: AbortController,
    onHeld: () => "release" | undefined,
    steal = false,
  ): Promise<boolean> {
    let wasHeld = false;
    const { signal } = life;
    // A lock that is taken by force cannot be waited for, and so needs no signal.
    await this.#locks
      .request(name, steal ? { steal } : { signal }, async () => {
        if (signal.aborted) return;
        wasHeld = true;
        if (onHeld() !== "release") await ended(signal);
      })
      .catch(() => undefined); // it was taken by force, or this tab left while it waited
    return wasHeld;
  }

  #lockOf(tab: string): string {
    return `${this.#name} tab ${tab}`;
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}
