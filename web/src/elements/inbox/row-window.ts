/**
 * The part of a long list that is drawn: what is in sight and some rows on either side.
 *
 * Rows are as high as what they say, so heights are measured when drawn and guessed before (the mean of what
 * was measured). Whatever comes or goes above, the row that is being looked at stays where it is. It knows
 * elements only by `data-key`, and never what they show.
 */

import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Rows drawn beyond either edge of what is in sight. */
const margin = 12;
/** A list shorter than this is drawn whole, so that it can be searched in the page. */
const whole = 80;
const guessPx = 76;
const topPx = 8;

export interface Part {
  /** The first entry that is drawn. */
  readonly from: number;
  /** The one behind the last. */
  readonly to: number;
  /** Heights of what is not drawn, in pixels. */
  readonly above: number;
  readonly below: number;
}

/** Heights by key. */
export class Heights {
  readonly #known = new Map<string, number>();
  #sum = 0;

  of(key: string): number {
    return this.#known.get(key) ?? this.#mean();
  }

  measured(key: string, height: number): void {
    this.#sum += height - (this.#known.get(key) ?? 0);
    this.#known.set(key, height);
  }

  clear(): void {
    this.#known.clear();
    this.#sum = 0;
  }

  #mean(): number {
    return this.#known.size === 0 ? guessPx : this.#sum / this.#known.size;
  }
}

/** What to draw of `keys` when `height` pixels from `top` on are in sight. */
export function partInSight(
  keys: readonly string[],
  heights: Heights,
  top: number,
  height: number,
): Part {
  if (keys.length <= whole) return { from: 0, to: keys.length, above: 0, below: 0 };
  const edges = [0];
  for (const key of keys) edges.push((edges.at(-1) ?? 0) + heights.of(key));
  const total = edges.at(-1) ?? 0;
  const edge = (index: number) => edges[index] ?? total;
  const at = (offset: number) => {
    const beyond = edges.findIndex((one) => one > offset);
    return beyond < 0 ? keys.length - 1 : Math.max(0, beyond - 1);
  };
  const from = Math.max(0, at(top) - margin);
  const to = Math.min(keys.length, at(top + height) + 1 + margin);
  return { from, to, above: edge(from), below: total - edge(to) };
}

/** A row in sight, and how far its upper edge is from the list's. */
interface Anchor {
  readonly key: string;
  readonly offset: number;
}

type Host = ReactiveControllerHost & { readonly renderRoot: HTMLElement | DocumentFragment };

export class RowWindow implements ReactiveController {
  readonly #host: Host;
  readonly #heights = new Heights();
  #anchors: readonly Anchor[] = [];
  #keys: readonly string[] = [];
  #part: Part = { from: 0, to: 0, above: 0, below: 0 };
  #scroller: HTMLElement | null = null;
  #width = 0;
  readonly #resized = new ResizeObserver(() => this.#resize());

  constructor(host: Host) {
    this.#host = host;
    host.addController(this);
  }

  /** Whether the newest rows are in sight. */
  get isAtTop(): boolean {
    return (this.#scroller?.scrollTop ?? 0) < topPx;
  }

  /** What was drawn last. */
  get drawn(): Part {
    return this.#part;
  }

  /** What to draw of these rows now. */
  part(keys: readonly string[]): Part {
    this.#keys = keys;
    this.#part = partInSight(keys, this.#heights, this.#top(), this.#scroller?.clientHeight ?? 0);
    return this.#part;
  }

  /** Draw the row, wherever it is, and bring it into sight. */
  async reveal(key: string): Promise<void> {
    const index = this.#keys.indexOf(key);
    if (!this.#scroller || index < 0) return;
    if (index < this.#part.from || index >= this.#part.to) {
      this.#anchors = [];
      this.#scroller.scrollTop = this.#keys
        .slice(0, index)
        .reduce((sum, one) => sum + this.#heights.of(one), 0);
      await this.#redraw();
    }
  }

  toTop(): void {
    this.#anchors = [];
    this.#scroller?.scrollTo({ top: 0 });
  }

  /** To be called when the list is scrolled. */
  readonly scrolled = (): void => {
    const { first, last, count } = this.#look();
    const { from, to } = this.#part;
    const slack = margin / 2;
    const isNearStart = from > 0 && first < slack;
    const isNearEnd = to < this.#keys.length && count - 1 - last < slack;
    if (isNearStart || isNearEnd) void this.#redraw();
  };

  hostUpdated(): void {
    const scroller = this.#host.renderRoot.querySelector<HTMLElement>(".list");
    if (scroller !== this.#scroller) {
      this.#resized.disconnect();
      this.#scroller = scroller;
      if (scroller) this.#resized.observe(scroller);
    }
    this.#measure();
    this.#keepPlace();
    this.#look();
  }

  hostDisconnected(): void {
    this.#resized.disconnect();
    this.#scroller = null;
  }

  /** Where the list will stand after drawing, seen from what is in sight now. */
  #top(): number {
    const top = this.#scroller?.scrollTop ?? 0;
    for (const { key, offset } of this.#anchors) {
      const index = this.#keys.indexOf(key);
      if (index < 0) continue;
      const above = this.#keys.slice(0, index);
      return above.reduce((sum, one) => sum + this.#heights.of(one), -offset);
    }
    return top;
  }

  #rows(): HTMLElement[] {
    return [...(this.#scroller?.querySelectorAll<HTMLElement>("[data-key]") ?? [])];
  }

  #measure(): void {
    if (!this.#scroller?.clientHeight) return;
    for (const row of this.#rows()) {
      this.#heights.measured(row.dataset.key ?? "", row.offsetHeight);
    }
  }

  /** Note what is in sight; which of the drawn rows that are, the first and the last. */
  #look(): { readonly first: number; readonly last: number; readonly count: number } {
    const rows = this.#rows();
    const list = this.#scroller?.getBoundingClientRect() ?? { top: 0, bottom: 0 };
    const boxes = rows.map((row) => row.getBoundingClientRect());
    const first = boxes.findIndex(({ bottom }) => bottom > list.top);
    const last = boxes.findLastIndex(({ top }) => top < list.bottom);
    this.#anchors = this.isAtTop
      ? []
      : rows.slice(Math.max(0, first), last + 1).map((row, index) => ({
          key: row.dataset.key ?? "",
          offset: (boxes[Math.max(0, first) + index]?.top ?? 0) - list.top,
        }));
    return { first, last, count: rows.length };
  }

  #keepPlace(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    const edge = scroller.getBoundingClientRect().top;
    const rows = new Map(this.#rows().map((row) => [row.dataset.key, row]));
    for (const { key, offset } of this.#anchors) {
      const row = rows.get(key);
      if (!row) continue;
      const moved = row.getBoundingClientRect().top - edge - offset;
      if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
      return;
    }
  }

  /** Other widths break lines elsewhere: nothing measured holds. */
  #resize(): void {
    const width = this.#scroller?.clientWidth ?? 0;
    if (width !== this.#width) this.#heights.clear();
    this.#width = width;
    void this.#redraw();
  }

  #redraw(): Promise<boolean> {
    this.#host.requestUpdate();
    return this.#host.updateComplete;
  }
}
