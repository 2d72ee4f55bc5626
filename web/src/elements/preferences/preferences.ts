import { TocsinPreferences } from "./preferences.component.ts";

if (!customElements.get("tocsin-preferences"))
  customElements.define("tocsin-preferences", TocsinPreferences);

declare global {
  interface HTMLElementTagNameMap {
    "tocsin-preferences": TocsinPreferences;
  }
}
