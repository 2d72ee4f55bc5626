/** What a page badge does to the tab; loaded when one is asked for it. */

export { Favicon } from "./favicon.ts";
export { PageTitle } from "./page-title.ts";
