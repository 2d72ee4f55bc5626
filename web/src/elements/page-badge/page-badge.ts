import { TocsinPageBadge } from "./page-badge.component.ts";

if (!customElements.get("tocsin-page-badge"))
  customElements.define("tocsin-page-badge", TocsinPageBadge);

declare global {
  interface HTMLElementTagNameMap {
    "tocsin-page-badge": TocsinPageBadge;
  }
}
