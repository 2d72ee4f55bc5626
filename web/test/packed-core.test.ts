import { build } from "vite";
import { expect, test, vi } from "vitest";
import type { TocsinClient } from "../src/core/index.ts";
import { connected, FakeServer, settled } from "./fake-server.ts";
import { FakeSocket } from "./fake-socket.ts";
import { at, changesAnswer, inboxAnswer, inboxFrame, own } from "./fixtures.ts";
import { soon } from "./soon.ts";

/** The core as it is published, with the short names of its members. */
async function packedCore(): Promise<{ TocsinClient: typeof TocsinClient }> {
  vi.stubEnv("NODE_ENV", "production");
  const built = await build({ mode: "core", logLevel: "silent", build: { write: false } });
  const [bundle] = Array.isArray(built) ? built : [built];
  const file = bundle && "output" in bundle ? bundle.output[0] : undefined;
  if (file?.type !== "chunk") throw new Error("the core was not built");
  return import(`data:text/javascript,${encodeURIComponent(file.code)}`);
}

test("the core as it is published reads, hears, acts, recovers, and heals a hole", async () => {
  const packed = await packedCore();
  const fake = new FakeServer(({ method, path }) => {
    if (method !== "GET") return { body: { epoch: "e1", rev: 6, change: null } };
    if (path.includes("changes")) return { body: changesAnswer(at(5), [own("e", 50)]) };
    return { body: inboxAnswer(at(2), [own("b", 20), own("a", 10)]) };
  });
  const client = fake.client({}, packed.TocsinClient);
  const arrived = vi.fn();
  client.on("arrived", arrived);
  const socket = await connected(client);
  socket.data(1, inboxFrame(3, [own("c", 30)], 3));
  client.remove({ id: "b", alert_id: "b" });
  await settled();
  expect(client.view()).toMatchObject({ status: "live", pending: 1, position: at(3) });
  expect(client.view().items.map(({ id }) => id)).toEqual(["c", "a"]);
  await soon(() => expect(client.view().position).toEqual(at(5)));
  socket.data(2, inboxFrame(6, [], 3, { removed: ["b"] }));
  await settled();
  expect(client.view()).toMatchObject({ pending: 0, position: at(6), synced: true });
  expect(arrived.mock.calls.flat(2).map(({ alert_id }) => alert_id)).toEqual(["c", "e"]);
  socket.breaks();
  await soon(() => expect(FakeSocket.last.url).toContain("awps_reconnection_token=t1"));
  await client.close();
  expect(client.status).toBe("closed");
});
