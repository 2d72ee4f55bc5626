/** The headless client: no page, no elements; runs in a browser, a worker or Node. */

export { TocsinClient } from "./client.ts";
export type { ClientEvents, InboxView } from "./client-events.ts";
export type { ClientOptions, PageEvents, Surroundings } from "./client-options.ts";
export type { Company, FindCompany, Host } from "./company.ts";
export type { Answer } from "./driver.ts";
export { InboxCore } from "./inbox-core.ts";
export type { InboxStatus } from "./inbox-status.ts";
export type { ItemKey, ItemKeys } from "./item-acts.ts";
export type { Transport } from "./line.ts";
export type {
  Action,
  Arrived,
  CoreEvent,
  CoreOptions,
  Effect,
  Refusal,
  Snapshot,
  View,
  ViewItem,
} from "./machine.ts";
export type { Alert, AlertAction, Counts, Position, Severity } from "./protocol.ts";
export type { ReceiptFact } from "./receipts.ts";
export type { ServerRequest } from "./requests.ts";
export { ReliableSocket, type SocketOptions, type SocketStatus } from "./socket.ts";
export type { SnapshotStore } from "./store.ts";
export type { TokenProvider } from "./tokens.ts";
