/** Which rows are chosen; a value that is replaced and never changed. */

export class Selection {
  static readonly none = new Selection(new Set(), null);
  readonly ids: ReadonlySet<string>;
  /** Where a range begins: the row that was chosen or given up last. */
  readonly #anchor: string | null;

  private constructor(ids: ReadonlySet<string>, anchor: string | null) {
    this.ids = ids;
    this.#anchor = anchor;
  }

  get size(): number {
    return this.ids.size;
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  toggled(id: string): Selection {
    const ids = new Set(this.ids);
    if (!ids.delete(id)) ids.add(id);
    return new Selection(ids, id);
  }

  /** With every row between the last one touched and this one, both included. */
  upTo(id: string, order: readonly string[]): Selection {
    const here = order.indexOf(id);
    const anchor = this.#anchor === null ? here : order.indexOf(this.#anchor);
    if (here < 0) return this;
    const [from, to] = anchor < 0 ? [here, here] : [Math.min(anchor, here), Math.max(anchor, here)];
    return new Selection(new Set([...this.ids, ...order.slice(from, to + 1)]), id);
  }

  /** Every row; none if that is what is chosen already. */
  all(order: readonly string[]): Selection {
    return this.size === order.length ? Selection.none : new Selection(new Set(order), null);
  }

  /** Without the rows that are gone; the same value if there are none. */
  among(order: readonly string[]): Selection {
    if (this.size === 0) return this;
    const left = order.filter((id) => this.ids.has(id));
    return left.length === this.size ? this : new Selection(new Set(left), this.#anchor);
  }
}
