/** A number before the page's title, which stays there when the page changes its title. */

const ours = /^\(\d+\+?\) /;

export class PageTitle {
  #number = "";
  #observer: MutationObserver | null = null;

  /** Begin the title with this number; with none of it, if it is 0. */
  count(number: number): void {
    this.#number = number === 0 ? "" : `(${number > 99 ? "99+" : number}) `;
    if (number > 0 && !this.#observer) {
      this.#observer = new MutationObserver(() => this.#write());
      const all = { childList: true, characterData: true, subtree: true };
      this.#observer.observe(document.head, all);
    }
    if (this.#observer) this.#write();
    if (number > 0) return;
    this.#observer?.disconnect();
    this.#observer = null;
  }

  #write(): void {
    const title = this.#number + document.title.replace(ours, "");
    if (document.title !== title) document.title = title;
  }
}
