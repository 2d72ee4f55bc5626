import { TocsinBell } from "./bell.component.ts";

if (!customElements.get("tocsin-bell")) customElements.define("tocsin-bell", TocsinBell);

declare global {
  interface HTMLElementTagNameMap {
    "tocsin-bell": TocsinBell;
  }
}
