/** Takes the focus somewhere by a key, and gives it back to where it was. */

export class FocusReturn {
  #from: HTMLElement | null = null;

  /** Go there; where the focus is now is remembered. */
  go(to: HTMLElement | undefined): void {
    this.#from = focused(document);
    to?.focus();
  }

  /** Go on to another place, or back where there is none. */
  move(to: HTMLElement | undefined): void {
    const back = this.#from?.isConnected ? this.#from : null;
    if (to ?? back) (to ?? back)?.focus();
    else focused(document)?.blur();
    if (!to) this.#from = null;
  }
}

/** What has the focus, in shadow roots too. */
function focused(root: DocumentOrShadowRoot): HTMLElement | null {
  const element = root.activeElement as HTMLElement | null;
  return (element?.shadowRoot && focused(element.shadowRoot)) ?? element;
}
