/** One script tag: the elements, defined, and the headless client they stand on. */

import "./bell/bell.ts";
import "./inbox/inbox.ts";
import "./push/push.ts";
import "./toasts/toasts.ts";

export * from "../core/index.ts";
export * from "../push/index.ts";
export { TocsinBell } from "./bell/bell.component.ts";
export { TocsinInbox } from "./inbox/inbox.component.ts";
export { type Phrase, type Translation, useWords, type Words } from "./language.ts";
export { TocsinPush } from "./push/push.component.ts";
export { sharedPush } from "./push-devices.ts";
export { setDefaultClient } from "./shared-clients.ts";
export { TocsinToasts } from "./toasts/toasts.component.ts";
