import { afterEach, expect, test, vi } from "vitest";
import { browserTabs } from "../src/browser/browser-tabs.ts";
import { connected, FakeServer } from "./fake-server.ts";
import { FakeSocket } from "./fake-socket.ts";
import { at, inboxAnswer, own } from "./fixtures.ts";
import { soon } from "./soon.ts";

afterEach(() => vi.unstubAllGlobals());

const request = vi.fn(() => new Promise(() => undefined));
/** What a browser has that can do both; another tab holds its locks. */
const able: Readonly<Record<string, unknown>> = {
  navigator: { locks: { request } },
  BroadcastChannel: class {
    postMessage(): void {}
    close(): void {}
  },
};

/** Put a browser in the place of the platform's own, with nothing of a name that it does not have. */
function install(browser: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(able)) {
    vi.stubGlobal(name, browser[name]);
    if (!(name in browser)) Reflect.deleteProperty(globalThis, name);
  }
}

const inbox = () => new FakeServer(() => ({ body: inboxAnswer(at(2), [own("a", 10)]) }));
const surroundings = async () => ({ company: browserTabs });

test("a tab that can share a line does, and opens none beside it", async () => {
  install(able);
  const client = inbox().client({ user: "ada", surroundings });
  client.connect();
  await soon(() => expect(request).toHaveBeenCalled());
  expect(FakeSocket.made).toEqual([]);
  await client.close();
});

test.each([
  ["locks, as out of a secure context", { ...able, navigator: {} }],
  ["channels", { navigator: able.navigator }],
])("a tab of a browser without %s has a line of its own", async (_, browser) => {
  install(browser);
  const client = inbox().client({ user: "ada", surroundings });
  await connected(client);
  expect(client.status).toBe("online");
  expect(client.view().items.map(({ id }) => id)).toEqual(["a"]);
  await client.close();
});
