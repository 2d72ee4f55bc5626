// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import { watchPage } from "../src/browser/page-life.ts";

afterEach(() => vi.unstubAllGlobals());

/** What a browser knows of the network; undefined where it does not tell its kind. */
function network(type?: string) {
  return Object.assign(new EventTarget(), { type });
}

test("a page that is looked at, or of another network, is told; one that sleeps too; and none that is not watched", () => {
  const connection = network("wifi");
  vi.stubGlobal("navigator", { connection });
  const visibility = vi.spyOn(document, "visibilityState", "get");
  const told: string[] = [];
  const stop = watchPage({
    onLook: () => told.push("look"),
    onSleep: () => told.push("sleep"),
    onWake: () => told.push("wake"),
  });
  const tells = (target: EventTarget, name: string, more: object = {}) => {
    told.length = 0;
    target.dispatchEvent(Object.assign(new Event(name), more));
    return [...told];
  };
  expect(tells(window, "online")).toEqual(["look"]);
  connection.type = "cellular";
  expect(tells(connection, "change")).toEqual(["look"]);
  expect(tells(window, "focus")).toEqual(["look"]);
  visibility.mockReturnValue("hidden");
  expect(tells(document, "visibilitychange")).toEqual([]);
  visibility.mockReturnValue("visible");
  expect(tells(document, "visibilitychange")).toEqual(["look"]);
  expect(tells(document, "freeze")).toEqual(["sleep"]);
  expect(tells(document, "resume")).toEqual(["wake"]);
  expect(tells(window, "pagehide")).toEqual(["sleep"]);
  expect(tells(window, "pageshow", { persisted: false })).toEqual([]);
  expect(tells(window, "pageshow", { persisted: true })).toEqual(["wake"]);
  stop();
  for (const name of ["online", "focus", "pagehide"]) expect(tells(window, name)).toEqual([]);
  connection.type = "wifi";
  expect(tells(connection, "change")).toEqual([]);
  expect(tells(document, "visibilitychange")).toEqual([]);
});

test("another guess at the speed of the same network is not worth a question, nor one of a kind nobody knows", () => {
  for (const kind of ["wifi", undefined]) {
    const connection = network(kind);
    vi.stubGlobal("navigator", { connection });
    const onLook = vi.fn();
    const stop = watchPage({ onLook, onSleep: vi.fn(), onWake: vi.fn() });
    connection.dispatchEvent(new Event("change"));
    expect(onLook).not.toHaveBeenCalled();
    stop();
  }
});
