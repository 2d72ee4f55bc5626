import { afterEach, expect, test, vi } from "vitest";
import { MemoryStore, type TocsinClient } from "../src/core/index.ts";
import { connected, FakeServer, type Seen, settled } from "./fake-server.ts";
import { FakeSocket } from "./fake-socket.ts";
import { at, changesAnswer, inboxAnswer, inboxFrame, own } from "./fixtures.ts";
import { soon } from "./soon.ts";

const page = inboxAnswer(at(2), [own("b", 20), own("a", 10)]);
let open: TocsinClient[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.map((client) => client.close()));
  open = [];
});

function server(
  reply: (request: Seen) => { status?: number; body: unknown } = () => ({ body: page }),
) {
  return new FakeServer(reply);
}

function clientOf(fake: FakeServer, ...options: Parameters<FakeServer["client"]>): TocsinClient {
  const client = fake.client(...options);
  open.push(client);
  return client;
}

test("reads the inbox with the token of its socket, and tells the view once", async () => {
  const fake = server();
  const client = clientOf(fake);
  const views = vi.fn();
  client.subscribe(views);
  await connected(client);
  expect(fake.requests).toMatchObject([
    { method: "GET", path: "/v1/inbox?limit=50", authorization: "Bearer jwt1" },
  ]);
  expect(client.view().items.map(({ id }) => id)).toEqual(["b", "a"]);
  expect(views.mock.lastCall?.[0]).toBe(client.view());
  expect(client.status).toBe("online");
});

test("tells what arrives, and not what was there", async () => {
  const client = clientOf(server());
  const arrived = vi.fn();
  client.on("arrived", arrived);
  const socket = await connected(client);
  expect(arrived).not.toHaveBeenCalled();
  socket.data(1, inboxFrame(3, [own("c", 30)], 3));
  expect(arrived).toHaveBeenCalledTimes(1);
  await settled();
  expect(client.view().counts.unread).toBe(3);
});

test("sends an action once with its own key and shows it at once", async () => {
  const fake = server(({ method }) =>
    method === "GET" ? { body: page } : { body: { epoch: "e1", rev: 2, change: null } },
  );
  const client = clientOf(fake);
  await connected(client);
  client.markRead({ id: "b", alert_id: "b" });
  await settled();
  expect(client.view().counts.unread).toBe(2);
  const action = fake.requests.at(-1);
  expect(action).toMatchObject({
    method: "PATCH",
    path: "/v1/inbox/items",
    body: { patches: [{ id: "b", alert_id: "b", read: true }] },
  });
  expect(action?.key).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

test("gets a new token when one ran out, and repeats the request", async () => {
  const now = vi.spyOn(Date, "now");
  const fake = server();
  const client = clientOf(fake);
  await connected(client);
  now.mockReturnValue(Date.now() + 60_000);
  fake.reply = ({ authorization, method }) => {
    if (authorization === "Bearer jwt1") return { status: 401, body: {} };
    return { body: method === "GET" ? page : { epoch: "e1", rev: 2, change: null } };
  };
  client.markAllRead();
  await settled();
  const sent = fake.requests.slice(1);
  expect(sent.map(({ authorization }) => authorization)).toEqual(["Bearer jwt1", "Bearer jwt2"]);
  expect(sent[0]?.key).toBe(sent[1]?.key);
});

test("keeps the inbox for the next visit, and catches up from there", async () => {
  const store = new MemoryStore();
  const first = clientOf(server(), { user: "ada", store });
  await connected(first);
  await first.close();
  const fake = server(() => ({ body: changesAnswer(at(3), [own("c", 30)]) }));
  const second = clientOf(fake, { user: "ada", store });
  second.connect();
  await settled();
  expect(second.view().items.map(({ id }) => id)).toEqual(["b", "a"]);
  await connected(second);
  expect(fake.requests[0]?.path).toBe("/v1/inbox/changes?since=e1:2:0");
  expect(second.view().items.map(({ id }) => id)).toEqual(["c", "b", "a"]);
});

test("an action made offline is kept and sent by the next visit", async () => {
  const store = new MemoryStore();
  const first = clientOf(server(), { user: "ada", store });
  const socket = await connected(first);
  socket.breaks(1012, "retry-after-ms=60000");
  first.remove({ id: "b", alert_id: "b" });
  await settled();
  expect(first.view().items.map(({ id }) => id)).toEqual(["a"]);
  await first.close();
  const fake = server(({ method }) =>
    method === "GET"
      ? { body: changesAnswer(at(2), [], { counts: page.counts }) }
      : { body: { epoch: "e1", rev: 3, change: inboxFrame(3, [], 1, { removed: ["b"] }) } },
  );
  const second = clientOf(fake, { user: "ada", store });
  await connected(second);
  expect(fake.requests.map(({ method }) => method)).toEqual(["GET", "PATCH"]);
  expect(second.view()).toMatchObject({ pending: 0, position: at(3), counts: { unread: 1 } });
});

/** Begin a visit without a network, after one in which something was done, with a store that answers when told to. */
async function visitWithSlowStore() {
  const store = new MemoryStore();
  const first = clientOf(server(), { user: "ada", store });
  const socket = await connected(first);
  socket.breaks(1012, "retry-after-ms=60000");
  first.remove({ id: "b", alert_id: "b" });
  await first.close();
  const read = store.read.bind(store);
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  vi.spyOn(store, "read").mockImplementation(async (key) => {
    const found = await read(key);
    await answered;
    return found;
  });
  vi.useFakeTimers();
  const client = clientOf(server(), { user: "ada", store });
  client.connect();
  await vi.advanceTimersByTimeAsync(1_000);
  return { client, answer };
}

test("does not wait for a slow store, and draws what it says later", async () => {
  const { client, answer } = await visitWithSlowStore();
  expect(client.view()).toMatchObject({ items: [], position: null });
  client.markRead({ id: "a", alert_id: "a" });
  answer();
  await vi.advanceTimersByTimeAsync(10);
  expect(client.view()).toMatchObject({ pending: 2, position: at(2), counts: { unread: 0 } });
  expect(client.view().items.map(({ id }) => id)).toEqual(["a"]);
});

test("what a slow store says changes nothing that the server has told by then", async () => {
  const { client, answer } = await visitWithSlowStore();
  FakeSocket.last.accept("c1");
  await vi.advanceTimersByTimeAsync(10);
  answer();
  await vi.advanceTimersByTimeAsync(10);
  expect(client.view()).toMatchObject({ pending: 0, synced: true });
  expect(client.view().items.map(({ id }) => id)).toEqual(["b", "a"]);
  await vi.advanceTimersByTimeAsync(2_000); // what was done is found when this visit is written
  expect(client.view().items.map(({ id }) => id)).toEqual(["a"]);
});

test("works with a store that fails, as a full disk or a private window has it", async () => {
  const fails = async () => {
    throw new DOMException("no room", "QuotaExceededError");
  };
  const store = { read: vi.fn(fails), write: vi.fn(fails), remove: vi.fn(fails) };
  const client = clientOf(server(), { user: "ada", store });
  const socket = await connected(client);
  socket.data(1, inboxFrame(3, [own("c", 30)], 3));
  client.markRead({ id: "c", alert_id: "c" });
  await settled();
  expect(client.view().items.map(({ id, read }) => [id, read])).toEqual([
    ["c", true],
    ["b", false],
    ["a", false],
  ]);
  await soon(() => expect(store.write).toHaveBeenCalled());
  await client.signOut();
  expect(client.view()).toMatchObject({ status: "signed-out", items: [] });
  for (const call of [store.read, store.remove]) expect(call).toHaveBeenCalled();
});

test("a refusal is told and undone", async () => {
  const fake = server(({ method }) =>
    method === "GET" ? { body: page } : { status: 409, body: { code: "item-changed" } },
  );
  const client = clientOf(fake);
  const refused = vi.fn();
  client.on("refused", refused);
  await connected(client);
  client.archive({ id: "b", alert_id: "b" });
  await settled();
  expect(refused.mock.lastCall?.[0]).toMatchObject({
    status: 409,
    problem: { code: "item-changed" },
  });
  expect(client.view().items).toHaveLength(2);
});

test("where sockets are blocked an event stream keeps the inbox, from the same position", async () => {
  vi.useFakeTimers();
  const fake = server(({ path }) => ({
    body: path.includes("changes") ? changesAnswer(at(3), [own("c", 30)]) : page,
  }));
  const client = clientOf(fake);
  const arrived = vi.fn();
  client.on("arrived", arrived);
  client.connect();
  for (let waited = 0; fake.streams.made.length === 0; waited += 50) {
    if (FakeSocket.made.at(-1)?.readyState === 0) FakeSocket.last.breaks();
    await vi.advanceTimersByTimeAsync(50);
    expect(waited).toBeLessThan(3_000);
  }
  expect(client.transport).toBe("socket");
  await fake.streams.last.accept();
  await vi.advanceTimersByTimeAsync(0);
  expect([client.status, client.transport]).toEqual(["online", "stream"]);
  const [stream, inbox] = fake.requests;
  expect(stream).toMatchObject({ path: "/v1/inbox/stream", authorization: inbox?.authorization });
  expect(client.view()).toMatchObject({ synced: true, position: at(2) });

  await fake.streams.last.data(inboxFrame(3, [own("c", 30)], 3));
  expect(arrived).toHaveBeenCalledTimes(1);
  await fake.streams.last.breaks();
  await vi.advanceTimersByTimeAsync(5_000);
  await fake.streams.last.accept();
  await vi.advanceTimersByTimeAsync(0);
  expect(fake.requests.at(-1)?.path).toBe("/v1/inbox/changes?since=e1:3:0");
  expect(client.view().items.map(({ id }) => id)).toEqual(["c", "b", "a"]);
});

test("a bare token finds socket and requests by the endpoint", async () => {
  const fake = server();
  const client = clientOf(fake, { tokenProvider: async () => "bare", hub: "shop" });
  const socket = await connected(client);
  expect(socket.url).toBe("ws://test/client/hubs/shop?access_token=bare&device=d");
  expect(fake.requests[0]?.authorization).toBe("Bearer bare");
});

test("names its device everywhere, and tells what was seen when all is marked seen", async () => {
  const fake = server(({ method }) =>
    method === "GET" ? { body: page } : { body: { epoch: "e1", rev: 2, change: null } },
  );
  const client = clientOf(fake, { device: "phone 1" });
  const socket = await connected(client);
  expect(socket.url).toContain("&device=phone%201");
  client.markAllSeen();
  client.tell({ alert_id: "b" }, "acted", "ok");
  await settled();
  const told = fake.requests.find(({ path }) => path === "/v1/inbox/receipts");
  expect(told).toMatchObject({
    method: "POST",
    device: "phone 1",
    body: {
      receipts: [
        { alert_id: "b", fact: "seen" },
        { alert_id: "a", fact: "seen" },
        { alert_id: "b", fact: "acted", action: "ok" },
      ],
    },
  });
  expect(new Set(fake.requests.map(({ device }) => device))).toEqual(new Set(["phone 1"]));
});

test("gives another token when the server asks for one, and shows nothing of it", async () => {
  const client = clientOf(server());
  const socket = await connected(client);
  const views = vi.fn();
  client.subscribe(views);
  vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
  socket.data(1, { tocsin: 1, kind: "token", expires_in_s: 30 });
  await settled();
  const told = { type: "event", event: "tocsin.token", dataType: "text", data: "jwt2" };
  expect(socket.sent).toContainEqual(told);
  expect(views).not.toHaveBeenCalled();
});

test("tells of preferences that were changed elsewhere", async () => {
  const client = clientOf(server());
  const socket = await connected(client);
  const told = vi.fn();
  client.on("preferences", told);
  socket.data(1, { tocsin: 1, kind: "preferences" });
  expect(told).toHaveBeenCalledOnce();
});

test("over a stream, which has no acknowledgements, it tells what it received", async () => {
  vi.useFakeTimers();
  const fake = server(({ path }) =>
    path === "/v1/inbox/receipts" ? { body: null } : { body: page },
  );
  const client = clientOf(fake);
  client.connect();
  await vi.advanceTimersByTimeAsync(0);
  while (fake.streams.made.length === 0) {
    if (FakeSocket.last.readyState === 0) FakeSocket.last.breaks();
    await vi.advanceTimersByTimeAsync(100);
  }
  await fake.streams.last.accept();
  await vi.advanceTimersByTimeAsync(100);
  expect(client.transport).toBe("stream");
  await fake.streams.last.data(inboxFrame(3, [own("c", 30)], 3));
  await vi.advanceTimersByTimeAsync(1_000);
  const told = fake.requests.filter(({ path }) => path === "/v1/inbox/receipts");
  expect(told).toMatchObject([{ body: { receipts: [{ alert_id: "c", fact: "received" }] } }]);
});

const done = { body: { epoch: "e1", rev: 3, change: null } };

test("says how well the inbox is known: starting, live, reconnecting, and from the cache", async () => {
  const store = new MemoryStore();
  const first = clientOf(server(), { user: "ada", store });
  expect(first.view().status).toBe("starting");
  const socket = await connected(first);
  expect(first.view().status).toBe("live");
  socket.breaks();
  await settled();
  expect(first.view().status).toBe("reconnecting");
  await first.close();
  const second = clientOf(server(), { user: "ada", store });
  second.connect();
  await settled();
  expect(second.view().status).toBe("cached");
});

test("says when the backend gives no token, and asks again", async () => {
  const refusal = Object.assign(new Error("nobody is signed in"), { status: 401 });
  const client = clientOf(server(), { tokenProvider: () => Promise.reject(refusal) });
  client.connect();
  await settled();
  expect(client.view().status).toBe("refused");
});

test("changes several items at once: all of them, or none", async () => {
  const fake = server(({ method }) => (method === "GET" ? { body: page } : done));
  const client = clientOf(fake);
  await connected(client);
  client.snooze(client.view().items, new Date("2026-12-01T08:00:00Z"));
  await settled();
  expect(client.view()).toMatchObject({ items: [], counts: { unread: 0 } });
  const snoozed_until = "2026-12-01T08:00:00.000Z";
  const patches = ["b", "a"].map((id) => ({ id, alert_id: id, snoozed_until }));
  expect(fake.requests.at(-1)).toMatchObject({ method: "PATCH", body: { patches } });
});

test("fetches what is not kept equal, page by page", async () => {
  const fake = server(() => ({ body: { items: [own("b", 20)], page: { next: "20:b" } } }));
  const client = clientOf(fake);
  const { items, next } = await client.list({ status: "archived", limit: 1 });
  expect(fake.requests.at(-1)?.path).toBe("/v1/inbox/items?status=archived&limit=1");
  expect([items[0]?.id, next]).toEqual(["b", "20:b"]);
  fake.reply = () => ({ status: 503, body: {} });
  await expect(client.list({ cursor: next })).rejects.toThrow("503");
});

test("signing out forgets this person, here and at the push service", async () => {
  const store = new MemoryStore();
  const fake = server();
  const client = clientOf(fake, { user: "ada", store });
  await connected(client);
  const left = vi.fn(async () => undefined);
  client.beforeSignOut(left);
  await client.signOut();
  await settled();
  expect(left).toHaveBeenCalledTimes(1);
  expect(fake.requests.at(-1)).toMatchObject({ method: "DELETE", path: "/v1/devices/d" });
  expect(client.view()).toMatchObject({ items: [], position: null, status: "signed-out" });
  const next = clientOf(server(), { user: "ada", store });
  next.connect();
  await settled();
  expect(next.view().items).toEqual([]);
});
