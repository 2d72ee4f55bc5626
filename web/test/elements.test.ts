// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import "fake-indexeddb/auto";
import "../src/elements/index.ts";
import "../src/elements/inbox/inbox.ts";
import "../src/elements/settings.ts";
import type { Severity, TocsinClient } from "../src/core/index.ts";
import type { TocsinBell, TocsinInbox, TocsinToasts } from "../src/elements/index.ts";
import { FakeAudio } from "./fake-audio.ts";
import { FakeBrowser, firstKey } from "./fake-browser.ts";
import { connected, FakeServer, settled } from "./fake-server.ts";
import type { FakeSocket } from "./fake-socket.ts";
import { alertOf, at, inboxAnswer, inboxFrame, own } from "./fixtures.ts";
import { soon } from "./soon.ts";

const items = [
  own("b", 20, { alert: alertOf("Backup failed", { severity: "error", body: "No space left" }) }),
  own("a", 10, { alert: alertOf("Parcel", { url: "javascript:alert(1)" }) }),
];
let fake: FakeServer;
let client: TocsinClient;
let socket: FakeSocket;

beforeEach(async () => {
  fake = new FakeServer(({ method }) =>
    method === "GET" ? { body: inboxAnswer(at(2), items) } : { status: 503, body: null },
  );
  client = fake.client();
  socket = await connected(client);
});

afterEach(async () => {
  document.body.replaceChildren();
  await client.close();
});

async function shown<Name extends "tocsin-bell" | "tocsin-inbox" | "tocsin-toasts">(
  name: Name,
): Promise<HTMLElementTagNameMap[Name]> {
  const element = document.createElement(name);
  element.client = client;
  document.body.append(element);
  await element.updateComplete;
  return element;
}

async function drawn(element: TocsinBell | TocsinInbox | TocsinToasts): Promise<ShadowRoot> {
  await settled();
  await element.updateComplete;
  return element.renderRoot as ShadowRoot;
}

function press(root: ShadowRoot, selector: string): void {
  const button = root.querySelector<HTMLElement>(selector);
  if (!button) throw new Error(`nothing is ${selector}`);
  button.click();
}

function titles(root: ShadowRoot): string[] {
  const all = [...root.querySelectorAll(".row .title")];
  return all.map((title) => (title.textContent ?? "").replace("Unread: ", "").trim());
}

test("the bell counts what is unseen, and says so", async () => {
  const bell = await shown("tocsin-bell");
  const root = await drawn(bell);
  expect(root.querySelector(".badge")?.textContent).toBe("2");
  expect(root.querySelector("button")?.getAttribute("aria-label")).toBe("Notifications, 2 new");
  socket.data(1, inboxFrame(3, [own("c", 30)], 120));
  await drawn(bell);
  expect(root.querySelector(".badge")?.textContent).toBe("99+");
});

test("the inbox lists what came, newest first, unread marked in words too", async () => {
  const root = await drawn(await shown("tocsin-inbox"));
  expect(titles(root)).toEqual(["Backup failed", "Parcel"]);
  expect(root.querySelectorAll(".row.unread .dot")).toHaveLength(2);
  expect(root.querySelector(".row .hidden")?.textContent).toBe("Error");
});

test("showing the inbox marks all seen; a passive one does not", async () => {
  const marks = () => fake.requests.filter(({ path }) => path === "/v1/inbox/mark").length;
  const passive = document.createElement("tocsin-inbox");
  passive.passive = true;
  passive.client = client;
  document.body.append(passive);
  await drawn(passive);
  expect(marks()).toBe(0);
  await drawn(await shown("tocsin-inbox"));
  expect(marks()).toBe(1);
});

test("an address that could run as a script is no link", async () => {
  const root = await drawn(await shown("tocsin-inbox"));
  expect(root.querySelectorAll("a")).toHaveLength(0);
});

test("alert text is text, whatever it looks like", async () => {
  const alert = alertOf("<img src=x onerror=alert(1)>", { body: "<b>bold</b>" });
  socket.data(1, inboxFrame(3, [own("c", 30, { alert })], 3));
  const root = await drawn(await shown("tocsin-inbox"));
  expect(root.querySelectorAll(".row img, .row b")).toHaveLength(0);
  expect(titles(root)[0]).toBe("<img src=x onerror=alert(1)>");
});

test("a row can be read, and the tab of the unread no longer has it", async () => {
  const inbox = await shown("tocsin-inbox");
  const root = await drawn(inbox);
  press(root, "[aria-label='Mark as read']");
  await drawn(inbox);
  expect(root.querySelectorAll(".row.unread")).toHaveLength(1);
  press(root, "[role=tab]:nth-child(2)");
  await drawn(inbox);
  expect(titles(root)).toEqual(["Parcel"]);
});

test("deleting offers an undo that brings the row back", async () => {
  const inbox = await shown("tocsin-inbox");
  const root = await drawn(inbox);
  press(root, "[aria-label='Delete']");
  await drawn(inbox);
  expect(titles(root)).toEqual(["Parcel"]);
  expect(root.querySelector(".notice")?.textContent).toContain("Deleted");
  press(root, ".notice button");
  await drawn(inbox);
  expect(titles(root)).toEqual(["Backup failed", "Parcel"]);
});

test("keys move between rows and act on them", async () => {
  const inbox = await shown("tocsin-inbox");
  const root = await drawn(inbox);
  const first = root.querySelector<HTMLElement>(".title");
  first?.focus();
  const key = (name: string) =>
    root.activeElement?.dispatchEvent(
      new KeyboardEvent("keydown", { key: name, bubbles: true, composed: true, cancelable: true }),
    );
  key("j");
  await drawn(inbox);
  expect(root.activeElement?.textContent).toContain("Parcel");
  key("u");
  await drawn(inbox);
  expect(root.querySelectorAll(".row.unread")).toHaveLength(1);
  key("e");
  await drawn(inbox);
  expect(titles(root)).toEqual(["Backup failed"]);
  key("z");
  await drawn(inbox);
  expect(titles(root)).toEqual(["Backup failed", "Parcel"]);
  expect(root.querySelector(".notice")).toBeNull();
});

test("what was done to the last row is taken back by its key too, from the tabs", async () => {
  const inbox = await shown("tocsin-inbox");
  const root = await drawn(inbox);
  press(root, "[aria-label='Delete']");
  await drawn(inbox);
  press(root, "[aria-label='Delete']");
  await drawn(inbox);
  expect(titles(root)).toEqual([]);
  const z = new KeyboardEvent("keydown", { key: "z", bubbles: true, composed: true });
  root.querySelector("[role=tab]")?.dispatchEvent(z);
  await drawn(inbox);
  expect(titles(root)).toEqual(["Parcel"]);
});

/** The marks that the server was asked for, but for those of what was seen. */
function readMarks(): unknown[] {
  const marks = fake.requests.filter(({ path }) => path === "/v1/inbox/mark");
  return marks.map(({ body }) => body).filter((body) => !JSON.stringify(body).includes('"seen"'));
}

test("of a category all is marked as read, also what is not loaded", async () => {
  const ops = alertOf("Disk full", { category: "ops" });
  const rows = [...items, own("c", 5, { alert: ops })];
  const counts = { unseen: 0, unread: 70 };
  fake.reply = ({ method, path }) =>
    method === "GET"
      ? { body: inboxAnswer(at(2), rows, { end: 5, counts }) }
      : { status: path.endsWith("mark") ? 200 : 503, body: { epoch: "e1", rev: 3, change: null } };
  await client.close();
  client = fake.client();
  socket = await connected(client);
  const inbox = await shown("tocsin-inbox");
  const root = await drawn(inbox);
  press(root, "[aria-label='Filter']");
  await drawn(inbox);
  const select = root.querySelector<HTMLSelectElement>("[aria-label='Any category']");
  if (!select) throw new Error("there is nothing to choose a category by");
  select.value = "ops";
  select.dispatchEvent(new Event("change"));
  await drawn(inbox);
  press(root, "[aria-label='Mark all as read']");
  await drawn(inbox);
  expect(readMarks()).toMatchObject([{ category: "ops", up_to: { sort: 20 } }]);
  expect(root.querySelectorAll(".row.unread")).toHaveLength(0);
  expect(client.view().items.map(({ read }) => read)).toEqual([false, false, true]);
});

test("what is put away cannot all be marked as read, for that would mark the inbox", async () => {
  const inbox = await shown("tocsin-inbox");
  const root = await drawn(inbox);
  const isDisabled = () =>
    root.querySelector("[aria-label='Mark all as read']")?.getAttribute("aria-disabled");
  const found: unknown[] = [];
  for (const tab of ["all", "unread", "snoozed", "archived"]) {
    press(root, `#${tab}`);
    await drawn(inbox);
    found.push(isDisabled());
  }
  expect(found).toEqual(["false", "false", "true", "true"]);
});

test("mark all as read leaves nothing unread", async () => {
  const inbox = await shown("tocsin-inbox");
  const root = await drawn(inbox);
  press(root, "[aria-label='Mark all as read']");
  await drawn(inbox);
  expect(root.querySelectorAll(".row.unread")).toHaveLength(0);
});

test("a toast shows what arrives, never the backlog, and goes when it is read elsewhere", async () => {
  const toasts = await shown("tocsin-toasts");
  const root = await drawn(toasts);
  expect(root.querySelectorAll(".toast")).toHaveLength(0);
  const fresh = own("c", 30, { alert: alertOf("Checkout is down", { severity: "critical" }) });
  socket.data(1, inboxFrame(3, [fresh], 3));
  await drawn(toasts);
  expect(root.querySelector(".toast .title")?.textContent).toBe("Checkout is down");
  expect(root.querySelector("[role=alert]")?.textContent).toContain("Checkout is down");
  expect(root.querySelector("[role=status]")?.textContent).toBe("");
  socket.data(2, inboxFrame(4, [{ ...fresh, read_at: "2026-11-22T12:00:00.000Z" }], 2));
  await drawn(toasts);
  expect(root.querySelectorAll(".toast")).toHaveLength(0);
});

test("no toast sounds unless that is asked for, and then those of the severities that are named", async () => {
  const audio = new FakeAudio();
  audio.install();
  const toasts = await shown("tocsin-toasts");
  let rev = 2;
  const arrives = async (severity: Severity) => {
    rev += 1;
    const alert = alertOf(severity, { severity });
    socket.data(rev, inboxFrame(rev, [own(severity, rev * 10, { alert })], rev));
    await drawn(toasts);
  };
  await arrives("error");
  toasts.sounds = "critical";
  await arrives("warning");
  await arrives("critical");
  await soon(() => expect(audio.hertz).toEqual([784, 988, 784, 988]));
  audio.nowS = 10;
  toasts.sounds = "all";
  await arrives("info");
  await soon(() => expect(audio.hertz).toEqual([784, 988, 784, 988, 880]));
  vi.unstubAllGlobals();
});

test("elements without attributes take the page's client", async () => {
  const { setDefaultClient } = await import("../src/elements/index.ts");
  const bell = document.createElement("tocsin-bell");
  document.body.append(bell);
  await drawn(bell);
  setDefaultClient(client);
  expect((await drawn(bell)).querySelector(".badge")?.textContent).toBe("2");
});

test("the attributes of an element name the client that it shares", async () => {
  vi.stubGlobal("fetch", fake.fetch);
  const { sharedClient } = await import("../src/elements/shared-clients.ts");
  const bell = document.createElement("tocsin-bell");
  bell.setAttribute("token-url", "http://test/sessions");
  bell.setAttribute("hub", "orders");
  const named = sharedClient(bell);
  expect(named).toMatchObject({ tokenUrl: "http://test/sessions", hub: "orders" });
  await named?.close();
});

test("a skeleton waits for the first answer, and a long silence is said", async () => {
  vi.useFakeTimers();
  const silent = new FakeServer(() => ({ body: null })).client();
  const inbox = document.createElement("tocsin-inbox");
  inbox.client = silent;
  document.body.append(inbox);
  await inbox.updateComplete;
  const root = inbox.renderRoot;
  expect(root.querySelector("[aria-busy]")).not.toBeNull();
  await vi.advanceTimersByTimeAsync(4_000);
  await inbox.updateComplete;
  expect(root.querySelector("[role=alert]")?.textContent).toContain("cannot be reached");
  vi.useRealTimers();
});

const actions = [
  { id: "ack", label: "Acknowledge", style: "primary" as const },
  { id: "logs", label: "Logs", url: "/logs" },
  { id: "bad", label: "Bad", url: "javascript:alert(1)" },
];

function toldOf(alertId: string): string[] {
  const told = fake.requests.filter(({ path }) => path === "/v1/inbox/receipts");
  return told.flatMap(({ body }) =>
    (body as { receipts: { alert_id: string; fact: string; action?: string }[] }).receipts
      .filter(({ alert_id }) => alert_id === alertId)
      .map(({ fact, action }) => [fact, action].filter(Boolean).join(" ")),
  );
}

test("an action of a toast is pressed: told to the server and the page, and the toast goes", async () => {
  const toasts = await shown("tocsin-toasts");
  const pressed = vi.fn();
  document.body.addEventListener("tocsin-action", (event) =>
    pressed((event as CustomEvent).detail),
  );
  socket.data(1, inboxFrame(3, [own("c", 30, { alert: alertOf("Disk full", { actions }) })], 3));
  const root = await drawn(toasts);
  const labels = [...root.querySelectorAll(".choice")].map(({ textContent }) => textContent);
  expect(labels).toEqual(["Acknowledge", "Logs"]);
  expect(root.querySelector(".choice")?.getAttribute("data-style")).toBe("primary");
  press(root, "button.choice");
  await drawn(toasts);
  expect(toldOf("c")).toEqual(["shown", "acted ack"]);
  expect(pressed).toHaveBeenCalledWith({ alert_id: "c", action: "ack" });
  expect(root.querySelectorAll(".toast")).toHaveLength(0);
});

test("an action of a row is pressed, says so, and reads the row", async () => {
  socket.data(1, inboxFrame(3, [own("c", 30, { alert: alertOf("Disk full", { actions }) })], 3));
  const inbox = await shown("tocsin-inbox");
  const root = await drawn(inbox);
  press(root, "button.choice");
  await drawn(inbox);
  expect(toldOf("c")).toEqual(["shown", "seen", "acted ack"]);
  expect(root.querySelector(".notice")?.textContent).toContain("Acknowledge: sent");
  expect(root.querySelector(".row")?.classList).toContain("read");
});

test("the push panel asks nothing by itself, and says what became of a test", async () => {
  const browser = new FakeBrowser();
  browser.install();
  const { reply } = fake;
  fake.reply = (request) => {
    if (request.path === "/v1/push/config") {
      return { body: { vapid_key: "k", application_server_key: firstKey } };
    }
    return request.path.startsWith("/v1/devices/")
      ? { body: { outcome: "accepted" } }
      : reply(request);
  };
  const panel = document.createElement("tocsin-push");
  panel.client = client;
  document.body.append(panel);
  const root = panel.renderRoot as ShadowRoot;
  const says = (text: string) => soon(() => expect(root.textContent).toContain(text));
  await says("Get alerts when this page is closed");
  expect(browser.asked).toBe(0);
  press(root, "button.primary");
  await says("This device gets alerts");
  expect(root.querySelector("section")?.getAttribute("aria-labelledby")).toBe("title");
  expect(root.querySelector("dd")?.textContent).toBe("nothing yet");
  press(root, "button.secondary");
  await says("The test is on its way");
  browser.say({ tocsin: "pushed", alert_id: "test", at: 1 });
  await says("The test arrived after");
  expect(root.querySelector("[role=status]")?.textContent).toContain("arrived");
  press(root, "button.secondary:last-child");
  await says("Get alerts when this page is closed");
  vi.unstubAllGlobals();
});

test("a blocked browser is told what to do, and offered no button that cannot help", async () => {
  const browser = new FakeBrowser();
  browser.permission = "denied";
  browser.install();
  const panel = document.createElement("tocsin-push");
  panel.client = client;
  document.body.append(panel);
  const root = panel.renderRoot as ShadowRoot;
  await soon(() => expect(root.textContent).toContain("Notifications are blocked"));
  expect(root.querySelectorAll("button")).toHaveLength(0);
  vi.unstubAllGlobals();
});
