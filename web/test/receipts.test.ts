// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Receipts } from "../src/core/receipts.ts";

type Sent = { alert_id: string; fact: string; action?: string; at: string };
let sent: Sent[][] = [];
let status = 204;
let receipts: Receipts;

function made(): Receipts {
  return new Receipts(async (batch) => {
    sent.push([...batch] as Sent[]);
    if (status === 0) throw new Error("no network");
    return status;
  }, "ada's");
}

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  status = 204;
  receipts = made();
});

afterEach(() => {
  receipts.close();
  localStorage.clear();
  vi.useRealTimers();
});

async function wait(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

test("what happens within a second leaves together, each fact once", async () => {
  const at = new Date().toISOString();
  receipts.tell("a", "shown");
  receipts.tell("a", "shown");
  receipts.tell("b", "seen");
  expect(sent).toHaveLength(0);
  await wait(1_000);
  expect(sent).toEqual([
    [
      { alert_id: "a", fact: "shown", action: undefined, at },
      { alert_id: "b", fact: "seen", action: undefined, at },
    ],
  ]);
  receipts.tell("a", "shown");
  await wait(60_000);
  expect(sent).toHaveLength(1);
});

test("a press leaves at once, and takes along what waits", async () => {
  receipts.tell("a", "shown");
  receipts.tell("a", "acted", "ok");
  await wait(0);
  expect(sent[0]?.map(({ fact, action }) => [fact, action])).toEqual([
    ["shown", undefined],
    ["acted", "ok"],
  ]);
});

test("offline it waits, and is sent again until it is answered", async () => {
  status = 0;
  receipts.tell("a", "shown");
  await wait(1_000);
  status = 503;
  await wait(1_000);
  expect(sent).toHaveLength(2);
  status = 204;
  await receipts.flush();
  expect(sent).toHaveLength(3);
  expect(sent[2]).toEqual(sent[0]);
  await wait(120_000);
  expect(sent).toHaveLength(3);
});

test("what the server refuses is not sent again", async () => {
  status = 400;
  receipts.tell("a", "shown");
  await wait(120_000);
  expect(sent).toHaveLength(1);
});

test("much is sent in batches, and offline no more than 500 wait", async () => {
  for (let number = 0; number < 600; number += 1) receipts.tell(`a${number}`, "shown");
  await wait(1_000);
  expect(sent.map((batch) => batch.length)).toEqual([200, 200, 100]);
  expect(sent[0]?.[0]?.alert_id).toBe("a100");
});

test("a press that was not answered outlives the page, and leaves with the next visit", async () => {
  status = 0;
  receipts.tell("a", "acted", "ok");
  await wait(0);
  receipts.close();
  status = 204;
  receipts = made();
  await receipts.flush();
  expect(sent.at(-1)).toMatchObject([{ alert_id: "a", fact: "acted", action: "ok" }]);
  const later = made();
  await later.flush();
  expect(sent).toHaveLength(2);
});

test("what cannot be read of an earlier visit is nothing", async () => {
  localStorage.setItem("ada's", "{oops");
  await made().flush();
  expect(sent).toHaveLength(0);
});
