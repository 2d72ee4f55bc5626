/** How well the inbox on view is known to be the server's, in one word. */

import type { SocketStatus } from "./socket.ts";

/**
 * `starting`: nothing to show yet. `cached`: what an earlier visit left, the server was not heard yet. `live`: equal to
 * the server's, or just catching up. `reconnecting`: the line broke a moment ago. `offline`: the server cannot be
 * reached. `refused`: the backend gives this person no token, or the server takes none. `signed-out`: this person
 * signed out here, in this tab or another one; nothing is shown or kept any more.
 */
export type InboxStatus =
  | "starting"
  | "cached"
  | "live"
  | "reconnecting"
  | "offline"
  | "refused"
  | "signed-out";

export interface LineState {
  readonly socket: SocketStatus;
  /** Attempts to connect that failed, since a connection last settled. */
  readonly failures: number;
  readonly isRefused: boolean;
}

/** A line that breaks comes back with its second attempt at the latest, if there is a server. */
const offlineAfter = 3;

/**
 * @param hasInbox There is something to show: read, or kept by an earlier visit.
 * @param wasHeard The server said something since this page began.
 */
export function inboxStatus(line: LineState, hasInbox: boolean, wasHeard: boolean): InboxStatus {
  if (line.isRefused) return "refused";
  if (line.socket === "online") return hasInbox ? "live" : "starting";
  const hasNetwork = globalThis.navigator?.onLine !== false;
  if (!hasNetwork || line.failures >= offlineAfter) return "offline";
  if (wasHeard) return "reconnecting";
  return hasInbox ? "cached" : "starting";
}
