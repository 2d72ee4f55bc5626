/** Tells which alerts a person can see: drawn on a visible page, and after a second seen. */

const seenAfterMs = 1_000;

export class Sightings {
  readonly #tell: (alertId: string, fact: "shown" | "seen") => void;
  readonly #visible = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(tell: (alertId: string, fact: "shown" | "seen") => void) {
    this.#tell = tell;
  }

  /** Take these alerts as those on view now; none of them is while the page is hidden. */
  look(drawn: readonly string[]): void {
    const now = new Set(document.visibilityState === "visible" ? drawn : []);
    for (const [alertId, timer] of this.#visible) {
      if (now.has(alertId)) continue;
      clearTimeout(timer);
      this.#visible.delete(alertId);
    }
    for (const alertId of now) {
      if (this.#visible.has(alertId)) continue;
      this.#tell(alertId, "shown");
      const timer = setTimeout(() => this.#tell(alertId, "seen"), seenAfterMs);
      this.#visible.set(alertId, timer);
    }
  }
}
