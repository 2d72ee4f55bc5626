/**
 * What a browser is around a client: `new TocsinClient({ surroundings: inBrowser, user, ... })` keeps the inbox for the
 * next visit, shares one line among the tabs of a person, and minds when the page is looked at or put to sleep.
 */

import type { Surroundings } from "../core/client-options.ts";
import { BrowserStore } from "./browser-store.ts";
import { browserTabs } from "./browser-tabs.ts";
import { watchPage } from "./page-life.ts";

export async function inBrowser(): Promise<Surroundings> {
  return { company: browserTabs, store: new BrowserStore(), watch: watchPage };
}
