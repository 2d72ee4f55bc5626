import { TocsinPush } from "./push.component.ts";

if (!customElements.get("tocsin-push")) customElements.define("tocsin-push", TocsinPush);

declare global {
  interface HTMLElementTagNameMap {
    "tocsin-push": TocsinPush;
  }
}
