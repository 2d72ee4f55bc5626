/** One script tag: the elements, defined, and the headless client they stand on. */

import "./bell/bell.ts";
import "./page-badge/page-badge.ts";
import "./toasts/toasts.ts";
import { loadOnDemand } from "./on-demand.ts";

loadOnDemand();

export * from "../core/index.ts";
export type * from "../push/index.ts";
export { actionEvent, notificationEvent, openInboxEvent } from "../push/opening.ts";
export { TocsinBell } from "./bell/bell.component.ts";
export type { TocsinInbox } from "./inbox/inbox.component.ts";
export { type Phrase, type Translation, useWords, type Words } from "./language.ts";
export { loadInbox, loadSettings, sharedPush } from "./on-demand.ts";
export { TocsinPageBadge } from "./page-badge/page-badge.component.ts";
export type { TocsinPreferences } from "./preferences/preferences.component.ts";
export type { TocsinPush } from "./push/push.component.ts";
export { setDefaultClient } from "./shared-clients.ts";
export { TocsinToasts } from "./toasts/toasts.component.ts";
