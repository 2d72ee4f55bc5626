/**
 * What happened to alerts on this device, told to the server: gathered for a moment, in batches,
 * and repeated until it is answered. The server keeps the first report, so repeats change nothing.
 */

import { backoffMs } from "./backoff.ts";
import { isRefusal } from "./protocol.ts";
import { Remembered } from "./remembered.ts";

/**
 * `seen` on a device is not the state of the item: a toast was visible, or the bell opened. `received` is
 * said only of what came over an event stream, which has no acknowledgements as a socket does.
 */
export type ReceiptFact = "received" | "shown" | "seen" | "acted";

interface Receipt {
  readonly alert_id: string;
  readonly fact: ReceiptFact;
  readonly action?: string | undefined;
  readonly at: string;
}

const gatherMs = 1_000;
const mostAtOnce = 200;
/** While offline this many wait; beyond, the oldest is given up. */
const mostWaiting = 500;
const mostTold = 2_000;

export class Receipts {
  readonly #send: (receipts: readonly Receipt[]) => Promise<number>;
  readonly #place: string | null;
  readonly #told = new Remembered(mostTold);
  #waiting: readonly Receipt[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSending = false;
  #failures = 0;

  /**
   * @param send Brings receipts to the server and tells the status; rejects if there was none.
   * @param place Names where what waits outlives the page (`localStorage`); null keeps nothing.
   */
  constructor(send: (receipts: readonly Receipt[]) => Promise<number>, place: string | null) {
    this.#send = send;
    this.#place = place;
    this.#waiting = recall(place);
  }

  /** Tell a fact, once; a press leaves at once, since the page may be left by it. */
  tell(alert_id: string, fact: ReceiptFact, action?: string): void {
    if (this.hasTold(alert_id, fact, action)) return;
    this.#told.add(keyOf(alert_id, fact, action));
    const receipt = { alert_id, fact, action, at: new Date().toISOString() };
    this.#waiting = [...this.#waiting, receipt].slice(-mostWaiting);
    if (fact === "acted") {
      this.#keep();
      void this.flush();
    } else this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  /** Whether this page has told it; it remembers the last 2,000 facts. */
  hasTold(alert_id: string, fact: ReceiptFact, action?: string): boolean {
    return this.#told.has(keyOf(alert_id, fact, action));
  }

  /** Send what waits now. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isSending || this.#waiting.length === 0) return;
    const batch = this.#waiting.slice(0, mostAtOnce);
    this.#isSending = true;
    const status = await this.#send(batch).catch(() => 0);
    this.#isSending = false;
    if ((status >= 200 && status < 400) || isRefusal(status)) {
      this.#failures = 0;
      this.#waiting = this.#waiting.filter((receipt) => !batch.includes(receipt));
      this.#keep();
      await this.flush();
    } else {
      this.#failures += 1;
      this.#keep();
      const waitMs = backoffMs(this.#failures, Math.random(), gatherMs, 60_000);
      this.#timer ??= setTimeout(() => this.flush(), waitMs);
    }
  }

  /** Forget what waits, here and for the next visit. */
  forget(): void {
    this.close();
    this.#waiting = [];
    this.#keep();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Leave what waits for the next visit. Of several tabs the last one writes; each sends its own. */
  #keep(): void {
    if (!this.#place) return;
    try {
      localStorage.setItem(this.#place, JSON.stringify(this.#waiting));
    } catch {
      // Nothing can be kept here (Node, a full or private store): it lives with the page.
    }
  }
}

function keyOf(alert_id: string, fact: ReceiptFact, action?: string): string {
  return `${fact} ${alert_id} ${action}`;
}

function recall(place: string | null): readonly Receipt[] {
  try {
    const kept: unknown = place && JSON.parse(localStorage.getItem(place) ?? "");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}
