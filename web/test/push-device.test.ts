// @vitest-environment happy-dom
import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TocsinClient } from "../src/core/index.ts";
import { PushDevice, type PushOptions, type PushStanding } from "../src/push/index.ts";
import { SharedStore } from "../src/push/shared-store.ts";
import { FakeBrowser, FakeNotification, firstKey, secondKey } from "./fake-browser.ts";
import { connected, FakeServer, settled } from "./fake-server.ts";
import type { FakeSocket } from "./fake-socket.ts";
import { at, inboxAnswer, inboxFrame, own } from "./fixtures.ts";
import { soon } from "./soon.ts";

const items = [own("b", 20), own("a", 10, { seen_at: "2026-11-22T12:00:00.000Z" })];
let browser: FakeBrowser;
let fake: FakeServer;
let client: TocsinClient;
let socket: FakeSocket;
let store: SharedStore;
let push: PushDevice;
let key: string;
let refuses: number;
let tested: { outcome: string; reason: string | null };
let stores = 0;

function device(options: PushOptions = {}): PushDevice {
  push = new PushDevice(client, { worker: "/worker.js", store, ...options });
  return push;
}

async function standing(): Promise<PushStanding> {
  await push.refresh();
  return push.state().standing;
}

function requests(method: string, path: string) {
  return fake.requests.filter((seen) => seen.method === method && seen.path === path);
}

beforeEach(async () => {
  browser = new FakeBrowser();
  browser.install();
  stores += 1;
  store = new SharedStore(`page-${stores}`);
  key = firstKey;
  refuses = 0;
  tested = { outcome: "accepted", reason: null };
  fake = new FakeServer(({ method, path }) => {
    if (path === "/v1/push/config") {
      return { body: { vapid_key: `id-${key}`, application_server_key: key } };
    }
    if (path === "/v1/devices/d/test" && !refuses) return { body: tested };
    if (path.startsWith("/v1/devices/")) {
      if (refuses) return { status: refuses, body: { detail: "not this one" } };
      return { status: method === "DELETE" ? 204 : 200, body: { state: "active" } };
    }
    return method === "GET" ? { body: inboxAnswer(at(2), items) } : { body: {} };
  });
  client = fake.client({ tokenUrl: "/token", tokenProvider: undefined });
});

afterEach(async () => {
  push?.close();
  await client.close();
  vi.unstubAllGlobals();
});

beforeEach(async () => {
  vi.stubGlobal("fetch", async () =>
    Response.json({ url: "ws://test/client/hubs/default?access_token=jwt" }),
  );
  socket = await connected(client);
});

test("nothing is asked, registered or subscribed before the person turns it on", async () => {
  device().start();
  expect(await standing()).toBe("off");
  expect(browser).toMatchObject({ asked: 0, registered: [], subscribed: null });
  expect(requests("PUT", "/v1/devices/d")).toHaveLength(0);
});

test("turning it on asks, subscribes under the server's key, and registers", async () => {
  device().start();
  await push.turnOn();
  expect(push.state()).toMatchObject({ standing: "on", problem: null, isBusy: false });
  expect(browser).toMatchObject({ asked: 1, registered: ["/worker.js"] });
  expect(requests("PUT", "/v1/devices/d")[0]?.body).toMatchObject({
    platform: "webpush",
    channel: { endpoint: `https://push.test/${firstKey}`, vapid_key: `id-${firstKey}` },
  });
  expect(await store.device()).toMatchObject({
    device: "d",
    endpoint: "http://test",
    hub: "default",
  });
});

test.each([
  ["denied", "blocked"],
  ["default", "off"],
] as const)("a person who answers %s leaves it %s", async (answer, expected) => {
  browser.answer = answer;
  device().start();
  await push.turnOn();
  expect(push.state().standing).toBe(expected);
  expect(browser.subscribed).toBeNull();
});

test("each start registers again what is turned on", async () => {
  device().start();
  await push.turnOn();
  push.close();
  device().start();
  expect(await standing()).toBe("on");
  expect(requests("PUT", "/v1/devices/d").length).toBeGreaterThan(1);
  expect(browser.unsubscribed).toBe(0);
});

test("after a rotation of the server's key the browser subscribes under the new one", async () => {
  device().start();
  await push.turnOn();
  key = secondKey;
  expect(await standing()).toBe("on");
  expect(browser.unsubscribed).toBe(1);
  expect(requests("PUT", "/v1/devices/d").at(-1)?.body).toMatchObject({
    channel: { endpoint: `https://push.test/${secondKey}`, vapid_key: `id-${secondKey}` },
  });
});

test("a subscription that the browser lost is made again, without asking", async () => {
  device().start();
  await push.turnOn();
  browser.subscribed = null;
  expect(await standing()).toBe("on");
  expect(browser.subscribed).not.toBeNull();
  expect(browser.asked).toBe(1);
});

test("turning it off ends the subscription, tells the server, and takes down what is shown", async () => {
  device().start();
  await push.turnOn();
  const [ours, apps] = [
    new FakeNotification({ tocsin: 1, alert_id: "z" }),
    new FakeNotification(null),
  ];
  browser.notifications = [ours, apps];
  await store.addPress({ id: "b", alert_id: "b", action: null, at: 1 });
  await push.turnOff();
  expect(push.state().standing).toBe("off");
  expect(browser).toMatchObject({ subscribed: null, unsubscribed: 1 });
  expect(browser.badges.at(-1)).toBe(0);
  expect([ours.isClosed, apps.isClosed]).toEqual([true, false]);
  expect(requests("DELETE", "/v1/devices/d")).toHaveLength(1);
  expect([await store.device(), await store.takePresses()]).toEqual([null, []]);
  expect(await standing()).toBe("off");
});

test("turning it off holds even where the server cannot be reached", async () => {
  device().start();
  await push.turnOn();
  refuses = 503;
  await push.turnOff();
  expect(push.state()).toMatchObject({ standing: "off", problem: null });
  expect(browser.subscribed).toBeNull();
});

test("a push service that cannot be reached, and a server that refuses, are said", async () => {
  browser.isServiceUp = false;
  device().start();
  await push.turnOn();
  expect(push.state()).toMatchObject({ standing: "broken" });
  expect(push.state().problem).toContain("push service of this browser");
  browser.isServiceUp = true;
  refuses = 400;
  await push.turnOn();
  expect(push.state()).toMatchObject({ standing: "broken", problem: "Not this one" });
  refuses = 0;
  await push.turnOn();
  expect(push.state()).toMatchObject({ standing: "on", problem: null });
});

test("while the server cannot be asked, what is turned on stays on", async () => {
  device().start();
  await push.turnOn();
  const { reply } = fake;
  fake.reply = () => {
    throw new TypeError("offline");
  };
  expect(await standing()).toBe("on");
  expect(push.state().problem).toBe("The server cannot be reached.");
  fake.reply = reply;
});

test("a change in the browser's settings is noticed", async () => {
  device().start();
  await standing();
  await settled();
  browser.permission = "denied";
  browser.permissionStatus.dispatchEvent(new Event("change"));
  await settled();
  expect(push.state().standing).toBe("blocked");
});

test.each([
  ["insecure", { secure: false, agent: "Test", touch: 0 }],
  ["no", { secure: true, agent: "Test", touch: 0 }],
  ["install", { secure: true, agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4)", touch: 5 }],
  ["install", { secure: true, agent: "Mozilla/5.0 (Macintosh; Intel)", touch: 5 }],
  ["no", { secure: true, agent: "Mozilla/5.0 (Macintosh; Intel)", touch: 0 }],
] as const)("what the browser lacks is said: %s", async (expected, { secure, agent, touch }) => {
  vi.stubGlobal("isSecureContext", secure);
  vi.stubGlobal("navigator", { userAgent: agent, maxTouchPoints: touch });
  device().start();
  expect(await standing()).toBe(expected);
});

test("a test tells how long it took, once the worker has shown it", async () => {
  device().start();
  await push.turnOn();
  const testing = push.test();
  await settled();
  expect(requests("POST", "/v1/devices/d/test")).toHaveLength(1);
  browser.say({ tocsin: "pushed", alert_id: "test", at: 1 });
  expect(await testing).toBeGreaterThanOrEqual(0);
});

test("a test that is refused says why", async () => {
  device().start();
  await push.turnOn();
  tested = { outcome: "gone", reason: "410 from push.test" };
  await expect(push.test()).rejects.toThrow("410 from push.test");
  refuses = 429;
  await expect(push.test()).rejects.toThrow("not this one");
});

test("what was seen elsewhere is taken down, and the badge follows", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  device().start();
  const [seen, unseen] = [noteOf("a"), noteOf("b")];
  browser.notifications = [seen, unseen, noteOf("unknown")];
  await vi.advanceTimersByTimeAsync(100);
  expect([seen.isClosed, unseen.isClosed]).toEqual([true, false]);
  expect(browser.badges).toEqual([2]);
  socket.data(1, inboxFrame(3, [own("b", 20, { seen_at: "2026-11-22T12:00:00.000Z" })], 0));
  await vi.advanceTimersByTimeAsync(100);
  expect(unseen.isClosed).toBe(true);
  expect(browser.badges.at(-1)).toBe(0);
  vi.useRealTimers();
});

test("what the browser shows by itself is known by its tag", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  device().start();
  const [seen, unseen, apps] = ["a", "b", "news"].map((tag) => new FakeNotification(null, tag));
  browser.notifications = [seen, unseen, apps].filter((note) => note !== undefined);
  await vi.advanceTimersByTimeAsync(100);
  expect([seen?.isClosed, unseen?.isClosed, apps?.isClosed]).toEqual([true, false, false]);
  vi.useRealTimers();
});

test("where nothing can be kept, push can be turned on all the same", async () => {
  vi.stubGlobal("indexedDB", undefined);
  device({ store: new SharedStore("nowhere") }).start();
  await push.turnOn();
  expect(push.state()).toMatchObject({ standing: "on", problem: null });
  expect(await standing()).toBe("on");
});

test("what this page has drawn for the person is taken down as it is shown", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  device().start();
  await vi.advanceTimersByTimeAsync(100);
  const note = noteOf("b");
  browser.notifications = [note];
  client.tell({ alert_id: "b" }, "shown");
  browser.say({ tocsin: "pushed", alert_id: "b", at: 1 });
  await vi.advanceTimersByTimeAsync(100);
  expect(note.isClosed).toBe(true);
  vi.useRealTimers();
});

test("a press brings the person where it leads, and the worker gets its answer", async () => {
  const open = vi.fn();
  device({ open }).start();
  const port = { postMessage: vi.fn() };
  browser.say({ tocsin: "open", alert_id: "a", url: "/orders" }, [port]);
  expect(port.postMessage).toHaveBeenCalledOnce();
  expect(open).toHaveBeenCalledWith(expect.objectContaining({ alert_id: "a", url: "/orders" }));
});

test("a press that leads nowhere opens the inbox, unless the app does otherwise", async () => {
  const opened = vi.fn();
  document.addEventListener("tocsin-open-inbox", opened);
  device().start();
  browser.say({ tocsin: "open", alert_id: "a", url: null }, []);
  document.addEventListener("tocsin-notification", (event) => event.preventDefault(), {
    once: true,
  });
  browser.say({ tocsin: "open", alert_id: "a", url: null }, []);
  expect(opened).toHaveBeenCalledOnce();
});

test("what was pressed while no page was open is told at the start, and to the page", async () => {
  const acted = vi.fn();
  document.addEventListener("tocsin-action", (event) => acted((event as CustomEvent).detail));
  await store.addPress({ id: "b", alert_id: "b", action: "take", at: Date.UTC(2026, 10, 22) });
  device().start();
  await soon(() => expect(requests("PATCH", "/v1/inbox/items")).toHaveLength(1));
  expect(requests("POST", "/v1/inbox/receipts").at(-1)?.body).toEqual({
    receipts: [{ alert_id: "b", fact: "acted", action: "take", at: "2026-11-22T00:00:00.000Z" }],
  });
  expect(acted).toHaveBeenCalledWith({ alert_id: "b", action: "take" });
  expect(await store.takePresses()).toEqual([]);
});

test("messages of the app's own worker are none of ours", async () => {
  const open = vi.fn();
  device({ open }).start();
  browser.say({ type: "open", url: "/" });
  browser.say(Object.assign([], { tocsin: "unknown" }));
  expect(open).not.toHaveBeenCalled();
});

function noteOf(alert_id: string): FakeNotification {
  return new FakeNotification({ tocsin: 1, id: alert_id, alert_id, url: null, links: {}, at: 0 });
}
