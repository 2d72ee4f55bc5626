/** What goes into the inbox core and what comes out (docs/reference/client-core.md). */

import type { Change } from "./held.ts";
import type {
  Alert,
  Broadcast,
  Counts,
  Marks,
  OwnItem,
  Position,
  Problem,
  StateRow,
  Watermarks,
} from "./protocol.ts";

export interface CoreOptions {
  /** Own items asked for per page, 1 to 200. Default 50. */
  readonly page_limit: number;
  /** Most frames kept while a read or a hole is open. Default 500. */
  readonly keep_limit: number;
  /** Longest wait for a missing own frame, in milliseconds. Default 200. */
  readonly hole_wait_ms: number;
  /** Longest random wait before healing what everybody misses, in milliseconds. Default 2 000. */
  readonly spread_ms: number;
  /** Time after which a request counts as failed, in milliseconds. Default 10 000. */
  readonly read_deadline_ms: number;
  /** Upper end of the first jittered wait after a failure, in milliseconds. Default 500. */
  readonly backoff_base_ms: number;
  /** Longest jittered wait after failures, in milliseconds. Default 30 000. */
  readonly backoff_max_ms: number;
  /** Age at which an action that never got through is given up, in milliseconds. Default 30 days. */
  readonly queue_max_age_ms: number;
}

export const defaultCoreOptions: CoreOptions = {
  page_limit: 50,
  keep_limit: 500,
  hole_wait_ms: 200,
  spread_ms: 2_000,
  read_deadline_ms: 10_000,
  backoff_base_ms: 500,
  backoff_max_ms: 30_000,
  queue_max_age_ms: 29 * 86_400_000,
};

/** A change of one item that still says `alert_id`; a field left out stays as it is. */
export interface Patch {
  readonly id: string;
  readonly alert_id: string;
  readonly read?: boolean;
  readonly seen?: true;
  readonly archived?: boolean;
  readonly snoozed_until?: string | null;
  readonly deleted?: true;
}

/** Everything the user had when marking: own by `sort`, broadcasts by `brev`. */
export interface UpTo {
  readonly epoch: string;
  readonly sort: number;
  readonly brev: number;
}

export interface MarkAction {
  readonly type: "mark";
  readonly action: "seen" | "read";
  readonly category?: string | undefined;
}

/** A mark as it is asked for: of everything here, or from the row drawn at the `sort` named `from` downwards. */
export type AskedMark = MarkAction & { readonly from?: number };

export type Action =
  | { readonly type: "patch"; readonly patches: readonly Patch[] }
  | { readonly type: "restore"; readonly id: string; readonly alert_id: string }
  | AskedMark;

/** An action as it waits: a mark knows by now what it covers. */
export type QueuedAction = Exclude<Action, AskedMark> | (MarkAction & { readonly up_to: UpTo });

export interface Operation {
  readonly op_id: string;
  readonly action: QueuedAction;
  /** When the user did it, in milliseconds since 1970. */
  readonly at: number;
  /** Where the server stood when it answered; the overlay stays until the client stands there too. */
  readonly answered: { readonly epoch: string; readonly rev: number } | null;
}

export type TimerName =
  | "own_hole"
  | "broadcast_hole"
  | "retry"
  | "action_retry"
  | "deadline"
  | "action_deadline";

export type RequestKind = "inbox" | "older" | "changes" | "action";

export type CoreEvent = { readonly now: number; readonly random: number } & (
  | { readonly type: "start"; readonly stored: Snapshot | null }
  | { readonly type: "socket_open" }
  | { readonly type: "socket_closed" }
  | { readonly type: "frame"; readonly frame: unknown }
  | {
      readonly type: "answer";
      readonly request: number;
      readonly status: number;
      readonly body: unknown;
    }
  | { readonly type: "failed"; readonly request: number }
  | { readonly type: "timer"; readonly timer: TimerName }
  | { readonly type: "act"; readonly op_id: string; readonly action: Action }
  | { readonly type: "load_older" }
  | { readonly type: "conflict"; readonly stored: Snapshot }
  | { readonly type: "follow"; readonly followed: Followed }
  | {
      readonly type: "take";
      readonly queue: readonly Operation[];
      readonly told: readonly string[];
    }
);

export interface RequestEffect {
  readonly type: "request";
  readonly request: number;
  readonly kind: RequestKind;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly key?: string;
}

/** An action was refused and is undone; `status` is 0 if it was never sent. */
export interface Refusal {
  readonly op_id: string;
  readonly status: number;
  readonly problem: Problem | null;
}

export interface PersistEffect {
  readonly type: "persist";
  readonly snapshot: Snapshot;
  readonly expected: Position | null;
}

export type Effect =
  | RequestEffect
  | PersistEffect
  | { readonly type: "timer"; readonly timer: TimerName; readonly delay_ms: number }
  | { readonly type: "cancel"; readonly timer: TimerName }
  | { readonly type: "arrived"; readonly items: readonly Arrived[] }
  | ({ readonly type: "refused" } & Refusal)
  | { readonly type: "changed" };

/** An alert that came while somebody was looking, as on the wire. */
export type Arrived = OwnItem | Broadcast;

/** One row as drawn: own item or broadcast, with the user's pending actions applied. */
export interface ViewItem extends Marks {
  readonly id: string;
  readonly alert_id: string;
  readonly sort: number;
  readonly alert: Alert;
  readonly seen: boolean;
  readonly read: boolean;
  /** Set for broadcasts. */
  readonly brev?: number;
}

export interface View {
  /** Newest first. */
  readonly items: readonly ViewItem[];
  /** Over the whole inbox, not only over `items`. */
  readonly counts: Counts;
  readonly position: Position | null;
  readonly end: number | null;
  /** Nothing is older than `items`. */
  readonly complete: boolean;
  /** No hole is known and no read is under way. */
  readonly synced: boolean;
  /** Actions the server has not confirmed yet. */
  readonly pending: number;
  /** When the last head, frame or answer of a read came, in milliseconds since 1970; null before. */
  readonly as_of: number | null;
}

/** Everything a later start needs, as plain JSON. `position` is null before the first read. */
export interface Snapshot {
  readonly position: Position | null;
  readonly items: readonly OwnItem[];
  readonly end: number | null;
  readonly broadcasts: readonly Broadcast[];
  readonly states: readonly StateRow[];
  readonly watermarks: Watermarks;
  readonly counts: Counts;
  readonly queue: readonly Operation[];
  /** When the server was last heard, in milliseconds since 1970; null before. */
  readonly as_of: number | null;
}

/** What the tab that leads did, so that those that follow do the same. */
export interface Followed {
  /** All of it, for a tab that joins. */
  readonly snapshot?: Snapshot;
  /** What was applied since, in order. */
  readonly changes: readonly Change[];
  readonly queue: readonly Operation[];
  /** Actions of followers that the leader has taken over: op-ids. */
  readonly taken: readonly string[];
  /** Alerts that were told, in whatever tab. */
  readonly told: readonly string[];
  readonly synced: boolean;
  /** Frames flow, and were all heard: what a read brings now has only just arrived. */
  readonly live: boolean;
  readonly as_of: number | null;
}
