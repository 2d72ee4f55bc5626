// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import "fake-indexeddb/auto";
import "../src/elements/index.ts";
import { Keeper } from "../src/elements/preferences/keeper.ts";
import {
  categoriesOf,
  defaultLevel,
  levelOf,
  mutedUntil,
  type Preferences,
  type Rules,
  withLevel,
  withMute,
  withQuietHours,
} from "../src/elements/preferences/wanted.ts";
import "../src/elements/settings.ts";
import { FakeServer } from "./fake-server.ts";
import { soon } from "./soon.ts";

const now = Date.parse("2026-11-23T12:00:00Z");
const hub = { channels: { push: { min_severity: "warning" } }, critical_exempt: true } as const;

function rules(preferences: Preferences): Rules {
  return { preferences, hub };
}

test("what nobody says of a category is what the person says of all, then what the hub says", () => {
  expect(defaultLevel(rules({}), "billing")).toBe("warning");
  const mine = withLevel({}, null, "error");
  expect([levelOf(rules(mine), null), levelOf(rules(mine), "billing")]).toEqual([
    "error",
    "default",
  ]);
  expect(defaultLevel(rules(mine), "billing")).toBe("error");
  expect(defaultLevel(rules(withLevel({}, null, "off")), "billing")).toBe("off");
});

test("taking a choice back leaves nothing of it", () => {
  const off = withLevel({}, "billing", "off");
  expect(off).toEqual({ categories: { billing: { push: { enabled: false } } } });
  expect(withLevel(off, "billing", "default")).toEqual({ categories: {} });
});

test("a mute holds until its time, of its category alone, and goes when it is over", () => {
  const mine = withMute({}, "billing", now + 1_000, now);
  expect(mutedUntil(rules(mine), "billing", now)).toBe(now + 1_000);
  expect(mutedUntil(rules(mine), "billing", now + 1_000)).toBeUndefined();
  expect(mutedUntil(rules(mine), null, now)).toBeUndefined();
  const all = withMute(mine, null, null, now + 2_000);
  expect(all.mutes).toEqual([{}]);
  expect(mutedUntil(rules(all), null, now)).toBeNull();
  expect(withMute(all, null, undefined, now).mutes).toEqual([]);
});

test("no quiet hours at all are something else than those of the hub", () => {
  expect(withQuietHours({}, { windows: [] })).toEqual({ quiet_hours: { windows: [] } });
  expect(withQuietHours({ quiet_hours: { windows: [] } }, undefined)).toEqual({});
});

test("every category that anybody knows of is offered once", () => {
  const mine = withMute(withLevel({}, "build", "off"), "deploy", null, now);
  expect(categoriesOf(rules(mine), ["billing", undefined, "build"])).toEqual([
    "billing",
    "build",
    "deploy",
  ]);
});

let kept: Preferences;
let refusal: { status: number; body: unknown } | null;
let server: FakeServer;
let keeper: Keeper;
/** What the keeper stood at whenever it told of a change, and how often it had saved by then. */
let told: [string, number][];

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  kept = {};
  refusal = null;
  server = new FakeServer(({ method, body }) => {
    if (method === "PUT" && refusal) return refusal;
    if (method === "PUT") kept = body as Preferences;
    return { body: rules(kept) };
  });
  keeper = new Keeper(server.client(), () => told.push([keeper.standing, puts().length]));
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

function puts(): unknown[] {
  return server.requests.filter(({ method }) => method === "PUT").map(({ body }) => body);
}

const turnOff = (category: string) => (mine: Preferences) => withLevel(mine, category, "off");

test("changes show at once and are saved together, over what another device changed", async () => {
  await keeper.read();
  kept = withLevel({}, "deploy", "error");
  keeper.change(turnOff("build"));
  keeper.change(turnOff("billing"));
  expect(Object.keys(keeper.rules?.preferences.categories ?? {})).toEqual(["build", "billing"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(puts()).toHaveLength(1);
  expect(Object.keys(kept.categories ?? {})).toEqual(["deploy", "build", "billing"]);
  expect([keeper.standing, keeper.rules?.preferences]).toEqual(["kept", kept]);
});

test("what changes while something is saved is saved next, and nothing is called saved before", async () => {
  await keeper.read();
  const { reply } = server;
  server.reply = (request) => {
    if (request.method === "PUT" && puts().length === 1) keeper.change(turnOff("billing"));
    return reply(request);
  };
  keeper.change(turnOff("build"));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(Object.keys(kept.categories ?? {})).toEqual(["build", "billing"]);
  expect(keeper.standing).toBe("kept");
  expect(told.find(([standing]) => standing === "kept")).toEqual(["kept", 2]);
});

test("a refused change is taken back, and says why", async () => {
  await keeper.read();
  refusal = { status: 400, body: { detail: "the quiet hours leave no minute of the week" } };
  keeper.change(turnOff("build"));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(keeper.rules?.preferences).toEqual({});
  expect(keeper.problem).toContain("no minute of the week");
  refusal = null;
  keeper.change(turnOff("billing"));
  await vi.advanceTimersByTimeAsync(1_000);
  expect([kept, keeper.problem]).toEqual([withLevel({}, "billing", "off"), null]);
});

test("a server that is away is said, and reading again mends it", async () => {
  const { reply } = server;
  server.reply = () => {
    throw new TypeError("network");
  };
  await keeper.read();
  expect([keeper.rules, keeper.problem]).toEqual([null, "The server cannot be reached."]);
  server.reply = reply;
  await keeper.read();
  expect([keeper.rules?.hub, keeper.problem]).toEqual([hub, null]);
  server.reply = () => ({ status: 503, body: null });
  await keeper.read();
  expect([keeper.rules?.hub, keeper.problem]).toEqual([hub, null]);
});

test("the element offers, saves, and shows what holds where nothing was said", async () => {
  vi.useRealTimers();
  const element = document.createElement("tocsin-preferences");
  element.client = server.client();
  element.categories = "billing, build";
  document.body.append(element);
  const root = element.renderRoot as ShadowRoot;
  const choose = (label: string, value: string) => {
    const select = root.querySelector<HTMLSelectElement>(`[aria-label="${label}"]`);
    if (!select) throw new Error(`nothing is called ${label}`);
    select.value = value;
    select.dispatchEvent(new Event("change"));
  };
  await soon(() => expect(root.textContent).toContain("Which alerts are pushed"));
  expect(root.querySelector("option")?.textContent).toBe("Default: Warning and above");
  choose("Push: billing", "off");
  choose("Mute: build", "ever");
  choose("Quiet hours", "own");
  await soon(() => expect(root.querySelector("[role=status]")?.textContent).toBe("Saved"));
  expect(kept).toEqual({
    categories: { billing: { push: { enabled: false } } },
    mutes: [{ category: "build" }],
    quiet_hours: { windows: [{ from: "22:00", to: "07:00" }] },
  });
  root.querySelector<HTMLInputElement>("[aria-label=Monday]")?.click();
  await soon(() => expect(kept.quiet_hours?.windows?.[0]?.days).toHaveLength(6));
});
