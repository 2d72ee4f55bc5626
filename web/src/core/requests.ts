/** The requests of the inbox protocol, as the core asks for them. */

import type { Operation, RequestEffect } from "./machine.ts";
import { type Position, positionText } from "./protocol.ts";

export type WireRequest = Pick<RequestEffect, "method" | "path" | "body" | "key">;

/** What may be asked of the server besides. */
export type ServerRequest = Omit<WireRequest, "method"> & {
  readonly method: WireRequest["method"] | "PUT";
  /** It outlives the page that sends it. */
  readonly keepalive?: boolean;
};

/** Ask for the newest page. */
export function inboxRequest(limit: number): WireRequest {
  return { method: "GET", path: `/v1/inbox?limit=${limit}` };
}

/** Ask for the page below `before`. */
export function olderRequest(limit: number, before: number, position: Position): WireRequest {
  const page = `limit=${limit}&before=${before}`;
  return { method: "GET", path: `/v1/inbox?${page}&position=${positionText(position)}` };
}

/** Ask for everything after the position. */
export function changesRequest(position: Position): WireRequest {
  return { method: "GET", path: `/v1/inbox/changes?since=${positionText(position)}` };
}

/** Ask for an action to be done, under its own key. */
export function actionRequest({ op_id: key, action }: Operation): WireRequest {
  switch (action.type) {
    case "patch":
      return { method: "PATCH", path: "/v1/inbox/items", body: { patches: action.patches }, key };
    case "restore": {
      const [id, alertId] = [encodeURIComponent(action.id), encodeURIComponent(action.alert_id)];
      return { method: "POST", path: `/v1/inbox/items/${id}/restore?alert_id=${alertId}`, key };
    }
    case "mark": {
      const { type, ...body } = action;
      return { method: "POST", path: "/v1/inbox/mark", body, key };
    }
  }
}
