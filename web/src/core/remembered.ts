/** The names heard last, as many as are worth remembering; older ones are forgotten. */
export class Remembered extends Set<string> {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  override add(name: string): this {
    super.add(name);
    const [oldest = ""] = this;
    if (this.size > this.#most) this.delete(oldest);
    return this;
  }
}
