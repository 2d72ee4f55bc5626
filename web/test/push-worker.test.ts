import { beforeEach, expect, test, vi } from "vitest";
import { FakeWindow, FakeWorker, subscriptionAt } from "./fake-worker.ts";
import { soon } from "./soon.ts";

const item = "019e2f6b-5b1c-7c3a-8a41-0d3c5e3d9b1f";

/** As src/tocsin/push/payloads.py writes it. */
const backup = {
  web_push: 8030,
  notification: {
    title: "Nightly backup failed",
    body: "No space left.",
    navigate: "https://app.test/runbook",
    tag: item,
    app_badge: "3",
    dir: "auto",
  },
  id: "a1",
  v: 1,
  severity: "error",
  url: "/runbook",
  actions: [
    { id: "take", label: "I am on it" },
    { id: "logs", label: "Logs", url: "/logs" },
    { id: "bad", label: "Bad", url: "javascript:alert(1)" },
  ],
};
const device = {
  device: "d",
  endpoint: "https://tocsin.test",
  hub: "default",
  tokenUrl: null,
  key: { id: "k1", publicKey: "key" },
};
let worker: FakeWorker;

beforeEach(() => {
  worker = new FakeWorker({ tokenProvider: async () => "jwt" });
});

test("a push is shown under its item, in silence if it comes again, and pages hear of it", async () => {
  const page = new FakeWindow("https://app.test/inbox");
  worker.windows = [page];
  await worker.push(backup);
  const { title, options } = worker.shown[0] ?? {};
  expect(title).toBe("Nightly backup failed");
  expect(options).toMatchObject({ body: "No space left.", tag: item, renotify: false });
  expect(options).toMatchObject({ requireInteraction: false, data: { alert_id: "a1", id: item } });
  expect(options?.actions).toEqual([
    { action: "take", title: "I am on it" },
    { action: "logs", title: "Logs" },
  ]);
  expect(worker.badges).toEqual([3]);
  expect(page.heard).toMatchObject([{ tocsin: "pushed", alert_id: "a1" }]);
});

test("what is critical stays until somebody answers it", async () => {
  await worker.push({ ...backup, severity: "critical" });
  expect(worker.shown[0]?.options.requireInteraction).toBe(true);
});

test.each([
  ["nothing", null],
  ["no JSON", "hello"],
  ["an array", []],
  ["a number", 8030],
  ["members of wrong types", { id: 7, notification: { title: 1, body: [], tag: {}, icon: 4 } }],
  ["blanks", { id: " ", notification: { title: "  ", app_badge: "-1" }, actions: [null, "x"] }],
])("a push of %s is shown all the same", async (_, payload) => {
  await worker.push(payload);
  expect(worker.shown).toHaveLength(1);
  expect(worker.shown[0]).toMatchObject({ title: "New alert", options: { tag: "tocsin" } });
  expect(worker.badges).toEqual([]);
});

test("data that cannot be read as text, and details the browser refuses, are shown plainly", async () => {
  worker.refusesDetails = true;
  await worker.push(backup);
  expect(worker.shown[0]).toMatchObject({
    title: "Nightly backup failed",
    options: { tag: item, data: { alert_id: "a1" } },
  });
});

test("a press closes it and opens its link where no page is open, and reads the item", async () => {
  await worker.store.keepDevice(device);
  await worker.push(backup);
  expect(await worker.press()).toBe(true);
  expect(worker.opened).toEqual(["https://app.test/runbook"]);
  expect(worker.requests).toEqual([
    {
      method: "PATCH",
      path: "/v1/inbox/items",
      body: { patches: [{ id: item, alert_id: "a1", read: true }] },
    },
  ]);
  expect(await worker.store.takePresses()).toEqual([]);
});

test("an open page is focused and told; the one in front is taken", async () => {
  const [behind, front] = [
    new FakeWindow("https://app.test/a"),
    new FakeWindow("https://app.test/b"),
  ];
  front.focused = true;
  worker.windows = [behind, front];
  await worker.push(backup);
  await worker.press();
  expect(worker.opened).toEqual([]);
  expect([behind.wasFocused, front.wasFocused]).toEqual([false, true]);
  expect(front.heard).toContainEqual({ tocsin: "open", alert_id: "a1", url: "/runbook" });
  expect(front.kinds()).toEqual(["pushed", "open", "pressed"]);
  expect(behind.kinds()).toEqual(["pushed", "pressed"]);
  expect(await worker.store.takePresses()).toMatchObject([
    { id: item, alert_id: "a1", action: null },
  ]);
});

test("a page that does not answer is left for a new window, and not focused before", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const page = new FakeWindow("https://app.test/frozen");
  page.answers = false;
  worker.windows = [page];
  await worker.push(backup);
  const pressed = worker.press();
  await soon(() => expect(page.kinds()).toContain("open"));
  await vi.advanceTimersByTimeAsync(1_000);
  await pressed;
  expect(worker.opened).toEqual(["https://app.test/runbook"]);
  expect(page.wasFocused).toBe(false);
  vi.useRealTimers();
});

test("a page that took it is not opened again where the browser does not focus it", async () => {
  const page = new FakeWindow("https://app.test/");
  page.mayFocus = false;
  worker.windows = [page];
  await worker.push(backup);
  await worker.press();
  expect(page.kinds()).toContain("open");
  expect(worker.opened).toEqual([]);
});

test("windows of other sites and below other folders are none of ours", async () => {
  const page = new FakeWindow("https://elsewhere.test/");
  worker.windows = [page];
  await worker.push(backup);
  await worker.press();
  expect(page.heard).toEqual([]);
  expect(worker.opened).toEqual(["https://app.test/runbook"]);
});

test.each([
  ["a foreign site", "https://status.test/88", "https://status.test/88"],
  ["nowhere", undefined, "https://app.test/"],
  ["a script", "javascript:alert(1)", "https://app.test/"],
  ["data", "data:text/html,x", "https://app.test/"],
])("an alert that leads to %s opens no other address", async (_, url, opened) => {
  await worker.push({ ...backup, url });
  await worker.press();
  expect(worker.opened).toEqual([opened]);
});

test("a foreign site opens beside the open page, which stays where it is", async () => {
  const page = new FakeWindow("https://app.test/");
  worker.windows = [page];
  await worker.push({ ...backup, url: "https://status.test/88" });
  await worker.press();
  expect(page.kinds()).toEqual(["pushed", "pressed"]);
  expect(worker.opened).toEqual(["https://status.test/88"]);
});

test("a button without an address opens nothing, and the server is told that it was pressed", async () => {
  await worker.store.keepDevice(device);
  await worker.push(backup);
  await worker.press("take");
  expect(worker.opened).toEqual([]);
  expect(worker.requests.map(({ path }) => path)).toEqual([
    "/v1/inbox/receipts",
    "/v1/inbox/items",
  ]);
  expect(worker.requests[0]?.body).toMatchObject({
    receipts: [{ alert_id: "a1", fact: "acted", action: "take" }],
  });
  await worker.press("logs");
  expect(worker.opened).toEqual(["https://app.test/logs"]);
});

test("a press that could not be told is kept for the next page", async () => {
  worker.status = 503;
  await worker.store.keepDevice(device);
  await worker.push(backup);
  await worker.press("take");
  expect(await worker.store.takePresses()).toMatchObject([{ alert_id: "a1", action: "take" }]);
});

test("a press is kept where the worker has no way to a token", async () => {
  const bare = new FakeWorker();
  await bare.store.keepDevice(device);
  await bare.push(backup);
  await bare.press("take");
  expect(bare.requests).toEqual([]);
  expect(await bare.store.takePresses()).toHaveLength(1);
});

test.each([
  ["a test", { tag: "tocsin-test", id: "019e2f6b-5b1c-7c3a-8a41-000000000000" }],
  ["a summary", { tag: "summary", id: "a1" }],
])("pressing %s opens the app and reads nothing", async (_, { tag, id }) => {
  await worker.store.keepDevice(device);
  await worker.push({ ...backup, id, url: undefined, notification: { title: "7 new", tag } });
  await worker.press();
  expect(worker.opened).toEqual(["https://app.test/"]);
  expect(worker.requests).toEqual([]);
});

test("the app's own notifications are left alone", async () => {
  await worker.push(backup);
  const [note] = worker.shown;
  worker.shown.push({ title: "mine", options: { ...note?.options, data: { order: 7 } } });
  expect(await worker.press()).toBe(false);
  expect(worker.opened).toEqual([]);
});

test("a lost subscription is made again under the key it had, and registered", async () => {
  await worker.store.keepDevice(device);
  await worker.renew({});
  expect(worker.subscribedWith).toEqual(["key"]);
  expect(worker.requests).toMatchObject([
    {
      method: "PUT",
      path: "/v1/devices/d",
      body: { platform: "webpush", channel: { vapid_key: "k1" } },
    },
  ]);
});

test("a subscription that the browser replaced is registered as it is, and pages are told", async () => {
  const page = new FakeWindow("https://app.test/");
  worker.windows = [page];
  await worker.store.keepDevice(device);
  await worker.renew({ newSubscription: subscriptionAt("https://push.test/new") });
  expect(worker.subscribedWith).toEqual([]);
  expect(JSON.stringify(worker.requests[0]?.body)).toContain("https://push.test/new");
  expect(page.heard).toEqual([{ tocsin: "renewed" }]);
});

test("a device that was turned off is not subscribed again", async () => {
  await worker.renew({});
  expect(worker.subscribedWith).toEqual([]);
  expect(worker.requests).toEqual([]);
});
