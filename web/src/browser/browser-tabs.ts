/** The tabs of a browser as the company of a client. */

import type { Company, Host } from "../core/company.ts";
import { Tabs } from "./tabs.ts";

/** Of what tabs say to each other, and of the state that they share: tabs of another version are strangers. */
const version = 1;

/** Null where the browser has no Web Locks (only in a secure context) or no channels: each tab is alone then. */
export function browserTabs(name: string, host: Host): Company | null {
  const locks = globalThis.navigator?.locks;
  if (!locks || !("BroadcastChannel" in globalThis)) return null;
  const openChannel = (channel: string) => new BroadcastChannel(channel);
  return new Tabs(`tocsin ${version} ${name}`, host, {
    locks,
    openChannel,
    storage: () => localStorage,
  });
}
