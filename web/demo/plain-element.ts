import { LitElement } from "lit";

/** An element of the demo page; it uses the page's own style sheet. */
export class PlainElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}
