/** What a producer publishes: the fields of `POST /v1/alerts`. The server validates them. */

import type { AlertAction, Severity } from "../core/protocol.ts";

/** Who an alert is for. */
export interface Audience {
  readonly users?: readonly string[];
  readonly topics?: readonly string[];
  readonly all?: boolean;
}

/** One alert. Text times are RFC 3339 with a zone. */
export interface AlertDraft {
  readonly to: Audience;
  readonly title: string;
  readonly body?: string;
  readonly severity?: Severity;
  readonly category?: string;
  readonly collapse_key?: string;
  readonly url?: string;
  readonly icon?: string;
  readonly actions?: readonly AlertAction[];
  readonly data?: unknown;
  readonly deliver_at?: Date | string;
  readonly expires_at?: Date | string;
  /** Makes repeats safe, with `source`; without one the producer draws it. */
  readonly id?: string;
  readonly source?: string;
}
