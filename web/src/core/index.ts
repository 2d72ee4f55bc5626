/** The headless client, and what those who draw alerts need besides: links that may be followed, and times in words. */

export * from "./headless.ts";
export { isForeign, safeLink } from "./links.ts";
export { clockTime, exactTime, relativeTime } from "./time.ts";
