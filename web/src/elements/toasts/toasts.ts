import { TocsinToasts } from "./toasts.component.ts";

if (!customElements.get("tocsin-toasts")) customElements.define("tocsin-toasts", TocsinToasts);

declare global {
  interface HTMLElementTagNameMap {
    "tocsin-toasts": TocsinToasts;
  }
}
