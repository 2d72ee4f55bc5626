/** The messages of `json.reliable.webpubsub.azure.v1` that a receiving client understands. */

/** A connection that can be taken up again. */
export interface Session {
  readonly id: string;
  readonly reconnectionToken: string;
  /** The address it was opened under; it is taken up under the same. */
  readonly url: string;
}

export type ServerMessage =
  | { readonly type: "connected"; readonly session: Session }
  | {
      readonly type: "data";
      readonly fromServer: boolean;
      /** Null on protocols that do not number. */
      readonly sequence: number | null;
      readonly data: unknown;
    };

/** Read one message; null for one that asks for nothing (pong, ack, what is not known). */
export function parseMessage(text: unknown, url: string): ServerMessage | null {
  const message = parseObject(text);
  if (message?.type === "system" && message.event === "connected") {
    const { connectionId: id, reconnectionToken } = message;
    if (typeof id !== "string") return null;
    const token = typeof reconnectionToken === "string" ? reconnectionToken : "";
    return { type: "connected", session: { id, reconnectionToken: token, url } };
  }
  if (message?.type !== "message") return null;
  const sequence = typeof message.sequenceId === "number" ? message.sequenceId : null;
  const { from, data } = message;
  return { type: "data", fromServer: from === "server", sequence, data };
}

/** The address under which a connection is taken up again. */
export function recoveryUrl({ url, id, reconnectionToken }: Session): string {
  const recovery = new URL(url);
  recovery.searchParams.set("awps_connection_id", id);
  recovery.searchParams.set("awps_reconnection_token", reconnectionToken);
  return recovery.href;
}

function parseObject(text: unknown): Record<string, unknown> | null {
  if (typeof text !== "string") return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
