/**
 * The shapes of the inbox protocol (docs/reference/inbox-protocol.md), named as on the wire.
 *
 * What comes from the network is checked once, here: a frame or answer that does not have the
 * numbers and lists the rules need is refused as a whole. What an alert says is not checked; whoever
 * draws it treats every text as text.
 */

export type Severity = "info" | "success" | "warning" | "error" | "critical";

/** Where a client stands: own changes up to `rev`, broadcasts up to `brev`, both of one epoch. */
export interface Position {
  readonly epoch: string;
  readonly rev: number;
  readonly brev: number;
}

export interface AlertAction {
  readonly id: string;
  readonly label: string;
  readonly url?: string;
  readonly style?: "default" | "primary" | "danger";
}

/** What an alert says; never changes once published. */
export interface Alert {
  readonly source: string;
  readonly title: string;
  readonly severity: Severity;
  readonly created_at: string;
  readonly body?: string;
  readonly category?: string;
  readonly url?: string;
  readonly icon?: string;
  readonly actions?: readonly AlertAction[];
  readonly data?: unknown;
  readonly expires_at?: string;
}

/** What a person did, and when; an absent time means: not done. */
export interface Marks {
  readonly seen_at?: string;
  readonly read_at?: string;
  readonly unread_at?: string;
  readonly archived_at?: string;
  readonly deleted_at?: string;
  readonly snoozed_until?: string;
}

/** One person's own copy of an alert. `sort` is microseconds, larger is newer. */
export interface OwnItem extends Marks {
  readonly id: string;
  readonly alert_id: string;
  readonly sort: number;
  readonly rev: number;
  readonly alert: Alert;
}

/** One alert to everybody, numbered by the hub. */
export interface Broadcast {
  readonly brev: number;
  readonly alert_id: string;
  readonly sort: number;
  readonly alert: Alert;
}

/** What one person did to one broadcast; has a `sort` only once it woke from snooze. */
export interface StateRow extends Marks {
  readonly brev: number;
  readonly rev: number;
  readonly sort?: number;
}

/** Up to here everything is seen or read: own items by `sort`, broadcasts by `brev`. */
export interface Watermarks {
  readonly seen_up_to: number;
  readonly read_up_to: number;
  readonly b_seen_up_to: number;
  readonly b_read_up_to: number;
}

export interface Counts {
  readonly unseen: number;
  readonly unread: number;
}

export interface InboxFrame {
  readonly tocsin: 1;
  readonly kind: "inbox";
  readonly epoch: string;
  readonly rev: number;
  readonly items: readonly OwnItem[];
  readonly removed: readonly string[];
  readonly states: readonly StateRow[];
  readonly watermarks: Watermarks;
  readonly counts: Counts;
}

export interface BroadcastFrame {
  readonly tocsin: 1;
  readonly kind: "broadcast";
  readonly epoch: string;
  readonly brev: number;
  readonly add?: Broadcast | null;
  readonly withdraw?: number | null;
}

export interface HeadFrame {
  readonly tocsin: 1;
  readonly kind: "head";
  readonly epoch: string;
  readonly rev: number;
  readonly brev: number;
  readonly spread?: number;
}

export type Frame = InboxFrame | BroadcastFrame | HeadFrame;

export interface OlderAnswer {
  readonly position: Position;
  readonly items: readonly OwnItem[];
  readonly end: number | null;
}

export interface ChangesAnswer {
  readonly position: Position;
  readonly items: readonly OwnItem[];
  readonly removed: readonly string[];
  readonly states: readonly StateRow[];
  readonly watermarks: Watermarks;
  readonly counts: Counts;
  readonly broadcasts?: readonly Broadcast[];
  readonly live?: readonly number[];
}

export interface InboxAnswer extends OlderAnswer {
  readonly broadcasts: readonly Broadcast[];
  readonly states: readonly StateRow[];
  readonly watermarks: Watermarks;
  readonly counts: Counts;
}

export interface ActionAnswer {
  readonly epoch: string;
  readonly rev: number;
  readonly change: InboxFrame | null;
}

/** A refusal (RFC 9457); `code` is the stable name. */
export interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly status?: number;
}

export function isSame(a: Position | null, b: Position | null): boolean {
  return a?.epoch === b?.epoch && a?.rev === b?.rev && a?.brev === b?.brev;
}

/** Whether this status is a no; some 4xx leave the outcome unknown. */
export function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![401, 408, 425, 429].includes(status);
}

type Fields = Readonly<Record<string, unknown>>;

/** Write a position as `EPOCH:REV:BREV`, the form of query strings. */
export function positionText(position: Position): string {
  return `${position.epoch}:${position.rev}:${position.brev}`;
}

/** Check one frame; null for what is not ours or of a kind this version does not know. */
export function readFrame(data: unknown): Frame | null {
  if (!isFields(data) || data.tocsin !== 1 || typeof data.epoch !== "string") return null;
  switch (data.kind) {
    case "inbox":
      return isCount(data.rev) && areLists(data, "items") && hasCounts(data, "removed")
        ? (data as unknown as InboxFrame)
        : null;
    case "broadcast":
      return isCount(data.brev) ? (data as unknown as BroadcastFrame) : null;
    case "head":
      return isCount(data.rev) && isCount(data.brev) ? (data as unknown as HeadFrame) : null;
    default:
      return null;
  }
}

/**
 * What a frame is, of those that stand in no stream: `token` asks for another token, since this connection
 * ends with the one it has; `preferences` says that they changed.
 */
export function kindOf(data: unknown): unknown {
  return isFields(data) && data.tocsin === 1 ? data.kind : null;
}

/** An answer of a read, whole. */
export type Answer =
  | { readonly kind: "inbox"; readonly body: InboxAnswer }
  | { readonly kind: "older"; readonly body: OlderAnswer }
  | { readonly kind: "changes"; readonly body: ChangesAnswer };

/** Check the answer of a read; null if it is none. */
export function readAnswer(kind: Answer["kind"], body: unknown): Answer | "reload" | null {
  if (!isFields(body)) return null;
  if (body.reload === true) return "reload";
  const isWhole =
    isPosition(body.position) &&
    areLists(body, "items") &&
    (kind === "changes" || body.end == null || isCount(body.end)) &&
    (kind === "older" || hasCounts(body, kind === "inbox" ? "broadcasts" : "removed"));
  return isWhole ? ({ kind, body } as unknown as Answer) : null;
}

/** Check the answer of an action; null if it is none. */
export function readAction(body: unknown): ActionAnswer | null {
  if (!isFields(body) || typeof body.epoch !== "string" || !isCount(body.rev)) return null;
  const frame = body.change == null ? null : readFrame(body.change);
  return { epoch: body.epoch, rev: body.rev, change: frame?.kind === "inbox" ? frame : null };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function areLists(value: Fields, ...names: string[]): boolean {
  return names.every((name) => Array.isArray(value[name]));
}

function isPosition(value: unknown): value is Position {
  return (
    isFields(value) && typeof value.epoch === "string" && isCount(value.rev) && isCount(value.brev)
  );
}

function hasCounts(value: Fields, more: string): boolean {
  const lists = areLists(value, "states", more);
  return lists && isFields(value.watermarks) && isFields(value.counts);
}
