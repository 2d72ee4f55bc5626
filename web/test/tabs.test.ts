import { afterEach, expect, test, vi } from "vitest";
import { Tabs } from "../src/browser/tabs.ts";
import { MemoryStore, type TocsinClient } from "../src/core/index.ts";
import { FakeServer, type Seen, settled } from "./fake-server.ts";
import { FakeSocket } from "./fake-socket.ts";
import { FakeBrowser } from "./fake-tabs.ts";
import { at, changesAnswer, inboxAnswer, inboxFrame, own } from "./fixtures.ts";

const page = inboxAnswer(at(2), [own("b", 20), own("a", 10)]);
const done = { body: { epoch: "e1", rev: 3, change: null } };

interface OpenTab {
  readonly client: TocsinClient;
  readonly arrived: string[];
  readonly refused: string[];
  kill(): void;
}

let browser = new FakeBrowser();
let store = new MemoryStore();
let tabs: OpenTab[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(tabs.map(({ client }) => client.close()));
  browser = new FakeBrowser();
  store = new MemoryStore();
  tabs = [];
});

const pages = ({ method }: Seen) => (method === "GET" ? { body: page } : done);

/** Open a tab of Ada, or of another person, in this browser; without a socket it follows. */
async function openTab(fake: FakeServer, user = "ada", endpoint = "http://test"): Promise<OpenTab> {
  const platform = browser.openTab();
  const made = FakeSocket.made;
  const client = fake.client({
    user,
    store,
    endpoint,
    surroundings: async () => ({ company: (name, host) => new Tabs(name, host, platform) }),
  });
  FakeSocket.made = made;
  const tab: OpenTab = { client, arrived: [], refused: [], kill: () => platform.kill() };
  client.on("arrived", (items) => tab.arrived.push(...items.map(({ alert_id }) => alert_id)));
  client.on("refused", ({ op_id }) => tab.refused.push(op_id));
  tabs.push(tab);
  client.connect();
  await settled();
  return tab;
}

async function accept(): Promise<FakeSocket> {
  FakeSocket.last.accept(`c${FakeSocket.made.length}`);
  await settled();
  return FakeSocket.last;
}

function ids({ client }: OpenTab): string[] {
  return client.view().items.map(({ id }) => id);
}

/** A leader with its socket, and a tab that follows. */
async function pair(fake: FakeServer): Promise<[OpenTab, OpenTab, FakeSocket]> {
  FakeSocket.made = [];
  const leader = await openTab(fake);
  const socket = await accept();
  return [leader, await openTab(fake), socket];
}

test("one tab has the socket and reads; another one gets its state and its changes", async () => {
  const fake = new FakeServer(pages);
  const [leader, follower, socket] = await pair(fake);
  expect(ids(follower)).toEqual(["b", "a"]);
  expect(follower.client.view()).toMatchObject({ status: "live", synced: true, position: at(2) });
  socket.data(1, inboxFrame(3, [own("c", 30)], 3));
  await settled();
  for (const tab of [leader, follower]) {
    expect(ids(tab)).toEqual(["c", "b", "a"]);
    expect(tab.client.view().position).toEqual(at(3));
  }
  expect([FakeSocket.made.length, fake.requests.length, fake.tokens]).toEqual([1, 1, 1]);
});

test("what arrives is told in one tab, the one that was looked at last", async () => {
  const [leader, follower, socket] = await pair(new FakeServer(pages));
  socket.data(1, inboxFrame(3, [own("c", 30)], 3));
  await settled();
  expect([leader.arrived, follower.arrived]).toEqual([[], ["c"]]);
});

test("a tab that ends before it told leaves it to another one", async () => {
  const [leader, follower, socket] = await pair(new FakeServer(pages));
  socket.data(1, inboxFrame(3, [own("c", 30)], 3));
  follower.kill();
  await settled();
  expect([leader.arrived, follower.arrived]).toEqual([["c"], []]);
});

test("what was left to a tab is told by another one that hears of it after that tab's end", async () => {
  const fake = new FakeServer(pages);
  const [leader, next, socket] = await pair(fake);
  const teller = await openTab(fake);
  browser.freeze(2);
  socket.data(1, inboxFrame(3, [own("c", 30)], 3));
  teller.kill();
  leader.kill();
  await settled();
  browser.thaw(2);
  await settled();
  expect([leader, next, teller].map(({ arrived }) => arrived)).toEqual([[], ["c"], []]);
});

test("a tab whose locks come late is not taken for one that is gone", async () => {
  const fake = new FakeServer(pages);
  FakeSocket.made = [];
  const leader = await openTab(fake);
  const socket = await accept();
  browser.freeze(1);
  const grant = browser.delayLocks();
  const late = await openTab(fake);
  browser.thaw(1);
  socket.data(1, inboxFrame(3, [own("c", 30)], 3));
  browser.freeze(1); // what the others say comes after the browser's word of who is gone
  await settled();
  browser.thaw(1);
  grant();
  await settled();
  expect([leader, late].flatMap(({ arrived }) => arrived)).toEqual(["c"]);
});

test("when the tab that leads is killed another goes on from its position, and tells what came between once", async () => {
  const fake = new FakeServer(pages);
  const [leader, follower, socket] = await pair(fake);
  socket.data(1, inboxFrame(3, [own("c", 30)], 3));
  await settled();
  fake.reply = () => ({ body: changesAnswer(at(4), [own("d", 40)]) });
  leader.kill();
  await settled();
  await accept();
  expect(FakeSocket.made).toHaveLength(2);
  expect(fake.requests.at(-1)?.path).toBe("/v1/inbox/changes?since=e1:3:0");
  expect(ids(follower)).toEqual(["d", "c", "b", "a"]);
  expect([...leader.arrived, ...follower.arrived]).toEqual(["c", "d"]);
});

test("after a silence what a read brings is backlog, and nothing of it is told", async () => {
  const fake = new FakeServer(pages);
  const [leader, follower] = await pair(fake);
  fake.reply = () => ({ body: changesAnswer(at(4), [own("d", 40), own("e", 50)]) });
  vi.spyOn(Date, "now").mockReturnValue(Date.now() + 3_600_000);
  leader.kill();
  await settled();
  await accept();
  expect(ids(follower)).toEqual(["e", "d", "b", "a"]);
  expect(follower.arrived).toEqual([]);
});

test("an action in a tab that follows shows at once everywhere and is sent once, by the one that leads", async () => {
  const fake = new FakeServer(pages);
  const [leader, follower] = await pair(fake);
  follower.client.remove({ id: "b", alert_id: "b" });
  await settled();
  for (const tab of [leader, follower]) expect(ids(tab)).toEqual(["a"]);
  expect(fake.requests.map(({ method }) => method)).toEqual(["GET", "PATCH"]);
});

test("an action that the tab which led did not get through is sent by the next one, under its key", async () => {
  const fake = new FakeServer(({ method }) => {
    if (method === "PATCH") throw new Error("lost");
    return { body: page };
  });
  const [leader, follower] = await pair(fake);
  follower.client.remove({ id: "b", alert_id: "b" });
  await settled();
  const after = changesAnswer(at(2), [], { counts: page.counts });
  fake.reply = ({ method }) => (method === "GET" ? { body: after } : done);
  leader.kill();
  await settled();
  await accept();
  const keys = fake.requests.filter(({ method }) => method === "PATCH").map(({ key }) => key);
  expect(keys).toEqual([keys[0], keys[0]]);
  expect(ids(follower)).toEqual(["a"]);
});

test("an action whose tab ended while the one that leads hung is sent by the next one", async () => {
  const fake = new FakeServer(pages);
  const [leader, follower] = await pair(fake);
  browser.freeze(1);
  follower.client.remove({ id: "b", alert_id: "b" });
  await settled();
  follower.kill();
  leader.kill();
  await settled();
  const next = await openTab(fake);
  await accept();
  expect(fake.requests.filter(({ method }) => method === "PATCH")).toHaveLength(1);
  expect(ids(next)).toEqual(["a"]);
  expect(browser.storage).toHaveLength(0);
});

test("what the tab that leads has is kept nowhere else, and nothing of who signs out", async () => {
  const fake = new FakeServer(pages);
  const [, follower] = await pair(fake);
  follower.client.archive({ id: "b", alert_id: "b" });
  await settled();
  expect(browser.storage).toHaveLength(0);
  browser.freeze(1);
  follower.client.archive({ id: "a", alert_id: "a" });
  await settled();
  expect(browser.storage).toHaveLength(1);
  await follower.client.signOut();
  expect(browser.storage).toHaveLength(0);
});

test("a refusal is told where the person acted", async () => {
  const fake = new FakeServer(({ method }) =>
    method === "GET" ? { body: page } : { status: 409, body: { code: "item-changed" } },
  );
  const [leader, follower] = await pair(fake);
  follower.client.archive({ id: "b", alert_id: "b" });
  await settled();
  expect([leader.refused.length, follower.refused.length]).toEqual([0, 1]);
  for (const tab of [leader, follower]) expect(ids(tab)).toEqual(["b", "a"]);
});

test("a tab that leads and does not answer is followed no more", async () => {
  const fake = new FakeServer(pages);
  const [leader, follower] = await pair(fake);
  vi.useFakeTimers();
  const frozen = vi.spyOn(FakeSocket.prototype, "send").mockImplementation(() => undefined);
  browser.freeze(1);
  follower.client.hurry();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(FakeSocket.made).toHaveLength(2);
  frozen.mockRestore();
  browser.thaw(1);
  await vi.advanceTimersByTimeAsync(100);
  FakeSocket.last.accept("c9");
  await vi.advanceTimersByTimeAsync(100);
  expect(leader.client.view().status).toBe("live");
  expect(FakeSocket.made[0]?.closedWith).toBe(1000);
});

test("older pages that one tab asks for are there in all", async () => {
  const fake = new FakeServer(({ path }) => ({
    body: path.includes("before")
      ? { position: at(2), items: [own("z", 5)], end: null }
      : { ...page, end: 10 },
  }));
  const [leader, follower] = await pair(fake);
  follower.client.loadOlder();
  await settled();
  for (const tab of [leader, follower]) {
    expect(ids(tab)).toEqual(["b", "a", "z"]);
    expect(tab.client.view().complete).toBe(true);
  }
});

test("another person, or another server, is no company", async () => {
  const fake = new FakeServer(pages);
  const [, follower] = await pair(fake);
  const stranger = await openTab(fake, "ben");
  const elsewhere = await openTab(fake, "ada", "http://other");
  expect(FakeSocket.made).toHaveLength(3);
  expect([ids(stranger), ids(elsewhere)]).toEqual([[], []]);
  expect(ids(follower)).toEqual(["b", "a"]);
});

test("signing out in one tab signs out in all, and leaves nothing", async () => {
  const fake = new FakeServer(pages);
  const [leader, follower] = await pair(fake);
  await follower.client.signOut();
  await settled();
  for (const { client } of [leader, follower]) {
    expect(client.view()).toMatchObject({ items: [], status: "signed-out" });
  }
  expect(await store.read(JSON.stringify(["http://test", "default", "ada"]))).toBeNull();
  expect(FakeSocket.last.closedWith).toBe(1000);
});
