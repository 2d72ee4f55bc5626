/** One script tag: the elements, defined, and the headless client they stand on. */

import "./bell/bell.ts";
import "./inbox/inbox.ts";
import "./toasts/toasts.ts";

export * from "../core/index.ts";
export { openInboxEvent, TocsinBell } from "./bell/bell.component.ts";
export { TocsinInbox } from "./inbox/inbox.component.ts";
export { setDefaultClient } from "./shared-clients.ts";
export { TocsinToasts } from "./toasts/toasts.component.ts";
