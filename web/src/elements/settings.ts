/** The elements of settings pages: a file of its own, since most pages have none of them. */

import "./preferences/preferences.ts";
import "./push/push.ts";

export { TocsinPreferences } from "./preferences/preferences.component.ts";
export { TocsinPush } from "./push/push.component.ts";
export { sharedPush } from "./push-devices.ts";
