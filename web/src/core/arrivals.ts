/** Which alerts came while somebody was looking and deserve a toast: new, unread, each once. */

import type { Held } from "./held.ts";
import type { Arrived } from "./machine.ts";
import { weigh } from "./marks.ts";
import type { Broadcast, ChangesAnswer, Frame, OwnItem, StateRow, Watermarks } from "./protocol.ts";
import { Remembered } from "./remembered.ts";

/** Alerts remembered as told; older ones are forgotten. */
const mostTold = 1_000;

export class Arrivals {
  #newestSort = 0;
  readonly #told = new Remembered(mostTold);

  /** Take own items as held: what is not newer than these never arrived live. */
  note(items: readonly OwnItem[]): void {
    for (const item of items) this.#newestSort = Math.max(this.#newestSort, item.sort);
  }

  /** The alerts told last, newest last; as many as could still come in another way. */
  get told(): readonly string[] {
    return [...this.#told];
  }

  /** Take alerts as told, here or in another tab. */
  noteTold(alertIds: readonly string[]): void {
    for (const alertId of alertIds) this.#told.add(alertId);
  }

  /**
   * What a frame brings that was not there; a late or doubled one brings nothing, nor does one
   * before the first answer, when nothing can be told from backlog.
   */
  inFrame(frame: Frame, held: Held): Arrived[] {
    const position = held.position;
    if (frame.epoch !== position?.epoch) return [];
    if (frame.kind === "inbox" && frame.rev > position.rev) {
      return this.#own(frame.items, frame.watermarks);
    }
    if (frame.kind === "broadcast" && frame.add && frame.brev > position.brev) {
      return this.#broadcasts([frame.add], held.states, held.watermarks);
    }
    return [];
  }

  /** What an answer brings that was not there, where frames were lost. */
  inChanges(answer: ChangesAnswer, held: Held): Arrived[] {
    const states = new Map(held.states);
    for (const row of answer.states) states.set(row.brev, row);
    return [
      ...this.#own(answer.items, answer.watermarks),
      ...this.#broadcasts(answer.broadcasts ?? [], states, answer.watermarks),
    ];
  }

  #own(items: readonly OwnItem[], watermarks: Watermarks): OwnItem[] {
    const fresh = items.filter(
      (item) => item.sort > this.#newestSort && weigh(item, null, watermarks).unseen > 0,
    );
    return this.#untold(fresh);
  }

  #broadcasts(
    broadcasts: readonly Broadcast[],
    states: ReadonlyMap<number, StateRow>,
    watermarks: Watermarks,
  ): Broadcast[] {
    const fresh = broadcasts.filter(
      ({ brev }) => weigh(states.get(brev) ?? {}, brev, watermarks).unseen > 0,
    );
    return this.#untold(fresh);
  }

  #untold<Item extends Arrived>(items: readonly Item[]): Item[] {
    const untold = items.filter(({ alert_id }) => !this.#told.has(alert_id));
    this.noteTold(untold.map(({ alert_id }) => alert_id));
    return untold;
  }
}
