/** The client of a page: the headless one with its tabs, and what who draws needs besides: safe links, times in words. */

export type { ListPage, ListQuery } from "../browser/listing.ts";
export { MemoryStore } from "../browser/memory-store.ts";
export { TocsinClient } from "../browser/page-client.ts";
export * from "./headless.ts";
export { isForeign, safeLink } from "./links.ts";
export { clockTime, exactTime, relativeTime } from "./time.ts";
