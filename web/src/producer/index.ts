/** Publishes alerts from Node 18 and later, or a worker: no page, no dependencies. */

export type { AlertDraft, Audience } from "./alert.ts";
export {
  type Accepted,
  type Outcome,
  Producer,
  type ProducerOptions,
  type Standing,
} from "./producer.ts";
export { RefusedError, UnsettledError } from "./refusal.ts";
