// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import "fake-indexeddb/auto";
import "../src/elements/index.ts";
import { FakeBrowser } from "./fake-browser.ts";
import { connected, FakeServer } from "./fake-server.ts";
import { at, inboxAnswer, inboxFrame, own } from "./fixtures.ts";
import { soon } from "./soon.ts";

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("the title counts what is unseen, whatever the page calls itself, and is given back", async () => {
  const browser = new FakeBrowser();
  browser.install();
  const server = new FakeServer(() => ({ body: inboxAnswer(at(2), [own("a", 10), own("b", 20)]) }));
  const client = server.client();
  const socket = await connected(client);
  document.title = "Orders";
  const badge = document.createElement("tocsin-page-badge");
  badge.marks = "title app";
  badge.client = client;
  document.body.append(badge);
  const titled = (title: string) => soon(() => expect(document.title).toBe(title));
  await titled("(2) Orders");
  document.title = "Order 412";
  await titled("(2) Order 412");
  socket.data(1, inboxFrame(3, [own("c", 30)], 120));
  await titled("(99+) Order 412");
  expect(browser.badges.at(-1)).toBeGreaterThan(99);
  badge.remove();
  await titled("Order 412");
  expect(browser.badges.at(-1)).toBe(0);
  await client.close();
});

test("the number on the app's icon goes when it is not asked for any more, and when the person signs out", async () => {
  const browser = new FakeBrowser();
  browser.install();
  const server = new FakeServer(() => ({ body: inboxAnswer(at(2), [own("a", 10), own("b", 20)]) }));
  const client = server.client();
  await connected(client);
  const badge = document.createElement("tocsin-page-badge");
  badge.client = client;
  document.body.append(badge);
  const marked = async (marks: string) => {
    badge.marks = marks;
    await badge.updateComplete;
    return browser.badges;
  };
  expect(await marked("")).toEqual([]);
  expect(await marked("app")).toEqual([2]);
  expect(await marked("")).toEqual([2, 0]);
  expect(await marked("app")).toEqual([2, 0, 2]);
  await client.signOut();
  await soon(() => expect(browser.badges.at(-1)).toBe(0));
});
