import { TocsinInbox } from "./inbox.component.ts";

if (!customElements.get("tocsin-inbox")) customElements.define("tocsin-inbox", TocsinInbox);

declare global {
  interface HTMLElementTagNameMap {
    "tocsin-inbox": TocsinInbox;
  }
}
