/** How the server knows this browser: the devices of the API, as far as a page needs them. */

import type { Answer } from "../core/driver.ts";
import type { ServerRequest } from "../core/requests.ts";

/** Asks the server as the signed-in person: a client, or a worker's requests. */
export interface Asker {
  send(request: ServerRequest): Promise<Answer>;
}

/** What the server says of this device. */
export interface DeviceReport {
  /** Of a device that is `gone` the push service said that it is reached no more. */
  readonly state?: "active" | "gone";
  /** When a push service last took a message for it. */
  readonly last_success_at?: string | null;
  readonly last_failure_at?: string | null;
  readonly last_failure?: string | null;
  readonly gone_at?: string | null;
  readonly gone_reason?: string | null;
}

/** The server did not do it; the message is in its words, for developers. */
export class ServerRefusal extends Error {
  override readonly name = "ServerRefusal";
  readonly answer: Answer;

  constructor(answer: Answer) {
    const { detail, title } = (answer.body ?? {}) as { detail?: string; title?: string };
    super(detail ?? title ?? `the server answered ${answer.status}`);
    this.answer = answer;
  }
}

/** The key that new subscriptions belong to: the server's name for it, and its public half. */
export interface ServerKey {
  readonly id: string;
  readonly publicKey: string;
}

export async function serverKey(server: Asker): Promise<ServerKey> {
  const body = await asked(server, { method: "GET", path: "/v1/push/config" });
  const { vapid_key: id, application_server_key: publicKey } = body as Record<string, unknown>;
  if (typeof id === "string" && typeof publicKey === "string") return { id, publicKey };
  throw new ServerRefusal({ status: 200, body: { code: "push-platform-off" } });
}

/** Register the browser's subscription, or renew it. */
export async function putDevice(
  server: Asker,
  device: string,
  subscription: PushSubscription,
  keyId: string,
): Promise<DeviceReport> {
  const { locale, timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const body = {
    platform: "webpush",
    channel: { ...subscription.toJSON(), vapid_key: keyId },
    locale,
    time_zone: timeZone,
  };
  return (await asked(server, { method: "PUT", path: pathOf(device), body })) as DeviceReport;
}

export async function readDevice(server: Asker, device: string): Promise<DeviceReport> {
  return (await asked(server, { method: "GET", path: pathOf(device) })) as DeviceReport;
}

/** Forget the device; one that is not known is forgotten already. */
export async function deleteDevice(server: Asker, device: string): Promise<void> {
  const answer = await server.send({ method: "DELETE", path: pathOf(device) });
  if (answer.status >= 400 && answer.status !== 404) throw new ServerRefusal(answer);
}

/**
 * Have a test pushed to the device.
 *
 * @throws When the push service did not take it; the message says what it said.
 */
export async function testDevice(server: Asker, device: string): Promise<void> {
  const body = await asked(server, { method: "POST", path: `${pathOf(device)}/test` });
  const { outcome, reason } = body as { readonly outcome?: string; readonly reason?: string };
  if (outcome !== "accepted") throw new Error(reason ?? "the push service did not take it");
}

function pathOf(device: string): string {
  return `/v1/devices/${encodeURIComponent(device)}`;
}

async function asked(server: Asker, request: ServerRequest): Promise<unknown> {
  const answer = await server.send(request);
  if (answer.status >= 400) throw new ServerRefusal(answer);
  return answer.body ?? {};
}
