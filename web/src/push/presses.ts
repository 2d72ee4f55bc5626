/** Pressing a notification reads its item; pressing one of its buttons is told as `acted`, too. */

import { newOpId } from "../core/op-id.ts";
import type { Asker } from "./registry.ts";
import type { Press } from "./shared-store.ts";

/**
 * Tell the server what was pressed, where no page does.
 *
 * @throws When it is not known whether the server has it; then tell it again.
 */
export async function sendPresses(server: Asker, presses: readonly Press[]): Promise<void> {
  const receipts = presses
    .filter(({ action }) => action !== null)
    .map(({ alert_id, action, at }) => {
      return { alert_id, fact: "acted", action, at: new Date(at).toISOString() };
    });
  if (receipts.length > 0) {
    await settled(server, { method: "POST", path: "/v1/inbox/receipts", body: { receipts } });
  }
  const patches = presses.flatMap(({ id, alert_id }) => (id ? [{ id, alert_id, read: true }] : []));
  if (patches.length > 0) {
    const path = "/v1/inbox/items";
    await settled(server, { method: "PATCH", path, body: { patches }, key: newOpId() });
  }
}

async function settled(server: Asker, request: Parameters<Asker["send"]>[0]): Promise<void> {
  const { status } = await server.send(request);
  const again = status >= 500 || [401, 408, 425, 429].includes(status);
  if (again) throw new Error(`the server answered ${status}`);
}
