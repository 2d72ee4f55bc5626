/** What a client tells those who listen. */

import type { InboxStatus } from "./inbox-status.ts";
import type { Arrived, Refusal, View } from "./machine.ts";
import type { SocketStatus } from "./socket.ts";

/** The inbox as it is to be drawn, and how well it is known. */
export interface InboxView extends View {
  readonly status: InboxStatus;
}

export interface ClientEvents {
  /** Alerts that came while this page was connected, unread; each once, over all tabs of the person. */
  readonly arrived: readonly Arrived[];
  /** What this person, or the hub, wants to be pushed was changed, perhaps here: read it again. May be missed. */
  readonly preferences: undefined;
  readonly refused: Refusal;
  readonly status: SocketStatus;
  readonly view: InboxView;
}
