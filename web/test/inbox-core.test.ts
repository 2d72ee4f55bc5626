import { describe, expect, test } from "vitest";
import type { Snapshot } from "../src/core/machine.ts";
import {
  addFrame,
  at,
  broadcast,
  changesAnswer,
  Driven,
  head,
  inboxAnswer,
  inboxFrame,
  own,
  watermarks,
} from "./fixtures.ts";

const two = inboxAnswer(at(2), [own("b", 20), own("a", 10)]);

function persisted(driven: Driven): Snapshot {
  const effect = driven.effects.findLast((one) => one.type === "persist");
  if (effect?.type !== "persist") throw new Error("nothing was persisted");
  return effect.snapshot;
}

describe("reading", () => {
  test("nothing is read before the socket is open", () => {
    const driven = new Driven();
    driven.step({ type: "start", stored: null });
    expect(driven.requests).toEqual([]);
    driven.step({ type: "socket_open" });
    expect(driven.requests.map((request) => request.path)).toEqual(["/v1/inbox?limit=50"]);
  });

  test("a stored state is shown at once and caught up by changes", () => {
    const stored = persisted(new Driven().online(two));
    const driven = new Driven();
    driven.step({ type: "start", stored });
    expect(driven.titles).toEqual(["b", "a"]);
    driven.step({ type: "socket_open" });
    expect(driven.requests[0]?.path).toBe("/v1/inbox/changes?since=e1:2:0");
    driven.answer(changesAnswer(at(3), [own("c", 30)]));
    expect(driven.titles).toEqual(["c", "b", "a"]);
    expect(driven.core.view().synced).toBe(true);
  });

  test("frames that come during a read are kept and applied after it, once", () => {
    const driven = new Driven();
    driven.step({ type: "start", stored: null });
    const [request] = driven.step({ type: "socket_open" });
    driven.frame(inboxFrame(2, [own("b", 20)], 2));
    driven.frame(inboxFrame(3, [own("c", 30)], 3));
    expect(driven.titles).toEqual([]);
    const number = request?.type === "request" ? request.request : -1;
    driven.step({ type: "answer", request: number, status: 200, body: two });
    expect(driven.titles).toEqual(["c", "b", "a"]);
    expect(driven.core.view().position).toEqual(at(3));
  });

  test("more kept frames than the limit are thrown away and count as a hole", () => {
    const driven = new Driven({ keep_limit: 2 });
    driven.step({ type: "start", stored: null });
    const [request] = driven.step({ type: "socket_open" });
    for (const rev of [3, 4, 5]) driven.frame(inboxFrame(rev, [own(`${rev}`, rev * 10)], 1));
    const number = request?.type === "request" ? request.request : -1;
    driven.step({ type: "answer", request: number, status: 200, body: two });
    expect(driven.core.view().synced).toBe(false);
    driven.step({ type: "timer", timer: "retry" });
    expect(driven.requests[0]?.kind).toBe("changes");
  });

  test("a failed read is repeated after a longer wait each time", () => {
    const driven = new Driven();
    driven.step({ type: "start", stored: null });
    driven.step({ type: "socket_open" });
    const waits = [1, 2, 3].map(() => {
      driven.answer(null, 503);
      const wait = driven.timer("retry");
      driven.step({ type: "timer", timer: "retry" });
      return wait;
    });
    expect(waits).toEqual([375, 750, 1500]);
  });

  test("an answer after its deadline is not taken", () => {
    const driven = new Driven();
    driven.step({ type: "start", stored: null });
    driven.step({ type: "socket_open" });
    const late = driven.requests[0]?.request ?? -1;
    driven.step({ type: "timer", timer: "deadline" });
    driven.step({ type: "answer", request: late, status: 200, body: two });
    expect(driven.core.view().position).toBeNull();
  });

  test("an answer that is not of the protocol is a failure, not a state", () => {
    const driven = new Driven();
    driven.step({ type: "start", stored: null });
    driven.step({ type: "socket_open" });
    driven.answer({ items: "none" });
    expect(driven.core.view().position).toBeNull();
    expect(driven.timer("retry")).toBeGreaterThan(0);
  });
});

describe("holes", () => {
  test("a frame that was only overtaken needs no request", () => {
    const driven = new Driven().online(two);
    driven.frame(inboxFrame(4, [own("d", 40)], 4));
    expect(driven.timer("own_hole")).toBe(200);
    driven.frame(inboxFrame(3, [own("c", 30)], 3));
    expect(driven.effects).toContainEqual({ type: "cancel", timer: "own_hole" });
    expect(driven.titles).toEqual(["d", "c", "b", "a"]);
    expect(driven.core.view().counts.unread).toBe(4);
  });

  test("a lost frame is healed by one request for the changes", () => {
    const driven = new Driven().online(two);
    driven.frame(inboxFrame(4, [own("d", 40)], 4));
    driven.step({ type: "timer", timer: "own_hole" });
    expect(driven.requests[0]?.path).toBe("/v1/inbox/changes?since=e1:2:0");
    driven.answer(
      changesAnswer(at(4), [own("c", 30), own("d", 40)], { counts: { unseen: 4, unread: 4 } }),
    );
    expect(driven.titles).toEqual(["d", "c", "b", "a"]);
    expect(driven.core.view().synced).toBe(true);
  });

  test("a late or doubled frame changes nothing, not even the counts", () => {
    const driven = new Driven().online(two);
    driven.frame(inboxFrame(2, [own("x", 50)], 99));
    expect(driven.titles).toEqual(["b", "a"]);
    expect(driven.core.view().counts.unread).toBe(2);
  });

  test("a hole everybody has is healed after a random part of the spread", () => {
    const driven = new Driven().online(two);
    driven.frame(head(3, 0, 5_000));
    expect(driven.timer("broadcast_hole")).toBe(2_500);
  });

  test("a frame of another epoch is dropped and costs one request", () => {
    const driven = new Driven().online(two);
    driven.frame({ ...inboxFrame(3, [own("c", 30)], 3), epoch: "old" });
    driven.step({ type: "timer", timer: "own_hole" });
    driven.answer(changesAnswer(at(2), [], { counts: { unseen: 2, unread: 2 } }));
    expect(driven.requests).toEqual([]);
    expect(driven.titles).toEqual(["b", "a"]);
    expect(driven.core.view().synced).toBe(true);
  });

  test("what is not a frame of ours is ignored", () => {
    const driven = new Driven().online(two);
    for (const frame of [null, "x", { tocsin: 2 }, { tocsin: 1, kind: "new", epoch: "e1" }, []]) {
      expect(driven.frame(frame)).toEqual([]);
    }
  });
});

describe("reload and pages", () => {
  test("a reload drops everything, reads anew and pages down to where it was", () => {
    const first = inboxAnswer(at(2), [own("d", 40), own("c", 30)], { end: 30 });
    const driven = new Driven().online(first);
    driven.step({ type: "load_older" });
    driven.answer({ position: at(2), items: [own("b", 20)], end: 20 });
    driven.frame(head(9));
    driven.step({ type: "timer", timer: "own_hole" });
    driven.answer({ reload: true, position: at(9) });
    expect(driven.core.view().items).toEqual([]);
    driven.answer({ ...first, position: at(9) });
    expect(driven.requests[0]?.path).toBe("/v1/inbox?limit=50&before=30&position=e1:9:0");
    driven.answer({ position: at(9), items: [own("b", 20)], end: 20 });
    expect(driven.titles).toEqual(["d", "c", "b"]);
    expect(driven.requests).toEqual([]);
  });

  test("an older page moves the end and nothing else; one that ran ahead is a hole", () => {
    const driven = new Driven().online(inboxAnswer(at(2), [own("b", 20)], { end: 20 }));
    driven.step({ type: "load_older" });
    driven.answer({ position: at(5), items: [own("a", 10)], end: null });
    expect(driven.titles).toEqual(["b", "a"]);
    expect(driven.core.view()).toMatchObject({ position: at(2), complete: true, synced: false });
  });

  test("an item below the window is not drawn, and a broadcast there neither, but it counts", () => {
    const page = inboxAnswer(at(1, 1), [own("c", 30)], { end: 30, broadcasts: [broadcast(1, 25)] });
    const driven = new Driven().online(page);
    driven.frame(inboxFrame(2, [own("x", 29)], 2));
    expect(driven.titles).toEqual(["c"]);
    expect(driven.core.view().counts.unread).toBe(3);
  });
});

describe("broadcasts", () => {
  test("are numbered apart from own changes, and joined when drawn", () => {
    const driven = new Driven().online(two);
    driven.frame(addFrame(broadcast(1, 15)));
    expect(driven.titles).toEqual(["b", "b1", "a"]);
    driven.frame({ tocsin: 1, kind: "broadcast", epoch: "e1", brev: 2, withdraw: 1 });
    expect(driven.titles).toEqual(["b", "a"]);
    expect(driven.core.view().position).toEqual(at(2, 2));
  });

  test("a state row outlives the order in which things arrive", () => {
    const driven = new Driven().online(two);
    const states = [{ brev: 1, rev: 3, read_at: "2026-11-22T12:00:00.000Z" }];
    driven.frame(inboxFrame(3, [], 2, { states }));
    driven.frame(addFrame(broadcast(1, 50)));
    expect(driven.core.view().items[0]).toMatchObject({ alert_id: "b1", read: true });
    expect(driven.core.view().counts.unread).toBe(2);
  });
});

describe("acting", () => {
  const read = { type: "patch", patches: [{ id: "b", alert_id: "b", read: true }] } as const;

  test("an action shows at once and its overlay goes when the position is there", () => {
    const driven = new Driven().online(two);
    driven.step({ type: "act", op_id: "op1", action: read });
    expect(driven.core.view().items[0]).toMatchObject({ id: "b", read: true });
    expect(driven.core.view().counts).toEqual({ unseen: 1, unread: 1 });
    expect(driven.requests[0]).toMatchObject({ method: "PATCH", key: "op1" });
    const change = inboxFrame(3, [own("b", 20, { read_at: "2026-11-22T12:00:00.000Z" })], 1);
    driven.answer({ epoch: "e1", rev: 3, change });
    expect(driven.core.view()).toMatchObject({ pending: 0, position: at(3) });
    expect(driven.core.view().counts.unread).toBe(1);
  });

  test("a refusal takes it back", () => {
    const driven = new Driven().online(two);
    driven.step({ type: "act", op_id: "op1", action: read });
    driven.answer({ code: "item-changed" }, 409);
    expect(driven.effects).toContainEqual({
      type: "refused",
      op_id: "op1",
      status: 409,
      problem: { code: "item-changed" },
    });
    expect(driven.core.view().counts.unread).toBe(2);
  });

  test("an unknown outcome is repeated under the same key", () => {
    const driven = new Driven().online(two);
    driven.step({ type: "act", op_id: "op1", action: read });
    driven.answer(null, 503);
    expect(driven.core.view().pending).toBe(1);
    driven.step({ type: "timer", timer: "action_retry" });
    expect(driven.requests[0]?.key).toBe("op1");
  });

  test("offline the queue waits; on return it heals first and then sends in order", () => {
    const driven = new Driven().online(two);
    driven.step({ type: "socket_closed" });
    driven.step({ type: "act", op_id: "op1", action: read });
    driven.step({ type: "act", op_id: "op2", action: { type: "mark", action: "read" } });
    expect(driven.requests).toEqual([]);
    expect(driven.core.view().counts.unread).toBe(0);
    driven.step({ type: "socket_open" });
    expect(driven.requests.map(({ kind }) => kind)).toEqual(["changes"]);
    driven.answer(changesAnswer(at(2), [], { counts: { unseen: 2, unread: 2 } }));
    expect(driven.requests.map(({ key }) => key)).toEqual(["op1"]);
    driven.answer({ epoch: "e1", rev: 2, change: null });
    expect(driven.requests.map(({ key }) => key)).toEqual(["op2"]);
  });

  test("the queue survives a restart", () => {
    const driven = new Driven().online(two);
    driven.step({ type: "socket_closed" });
    driven.step({ type: "act", op_id: "op1", action: read });
    const next = new Driven();
    next.step({ type: "start", stored: persisted(driven) });
    expect(next.core.view()).toMatchObject({ pending: 1, counts: { unread: 1 } });
  });

  test("a mark from a row covers it and what is older, loaded or not, and nothing newer", () => {
    const items = [own("c", 40), own("b", 20), own("a", 10)];
    const broadcasts = [broadcast(1, 15), broadcast(2, 25), broadcast(3, 35)];
    const page = { broadcasts, end: 10, counts: { unseen: 7, unread: 7 } };
    const driven = new Driven().online(inboxAnswer(at(2, 3), items, page));
    driven.step({
      type: "act",
      op_id: "op1",
      action: { type: "mark", action: "read", from: 25 },
    });
    const up_to = { epoch: "e1", sort: 20, brev: 2 };
    expect(driven.requests[0]?.body).toEqual({ action: "read", up_to });
    const { items: drawn, counts } = driven.core.view();
    expect(drawn.map(({ read }) => read)).toEqual([false, false, true, true, true, true]);
    expect(counts.unread).toBe(2);
  });

  test("mark all read covers what was here when acting, and not what comes later", () => {
    const driven = new Driven().online({ ...two, end: 10, counts: { unseen: 7, unread: 7 } });
    driven.step({ type: "act", op_id: "op1", action: { type: "mark", action: "read" } });
    const up_to = { epoch: "e1", sort: 20, brev: 0 };
    expect(driven.requests[0]?.body).toEqual({ action: "read", up_to });
    expect(driven.core.view().counts.unread).toBe(0);
    driven.frame(inboxFrame(3, [own("c", 30)], 8));
    expect(driven.core.view().counts.unread).toBe(1);
    expect(driven.core.view().items[0]).toMatchObject({ id: "c", read: false });
  });

  test("delete and restore before the answer bring the row back", () => {
    const driven = new Driven().online(two);
    const remove = { type: "patch", patches: [{ id: "b", alert_id: "b", deleted: true }] } as const;
    driven.step({ type: "act", op_id: "op1", action: remove });
    expect(driven.titles).toEqual(["a"]);
    driven.step({ type: "act", op_id: "op2", action: { type: "restore", id: "b", alert_id: "b" } });
    expect(driven.titles).toEqual(["b", "a"]);
  });

  test("an action on an item that says something else by now touches nothing", () => {
    const driven = new Driven().online(two);
    const stale = { type: "patch", patches: [{ id: "b", alert_id: "old", read: true }] } as const;
    driven.step({ type: "act", op_id: "op1", action: stale });
    expect(driven.core.view().counts.unread).toBe(2);
  });

  test("what another tab had queued is taken over when it wrote first", () => {
    const driven = new Driven().online(two);
    const other = new Driven().online(two);
    other.step({ type: "socket_closed" });
    other.step({ type: "act", op_id: "theirs", action: read });
    driven.step({ type: "conflict", stored: persisted(other) });
    expect(driven.requests[0]?.key).toBe("theirs");
  });
});

describe("arriving", () => {
  function arrived(driven: Driven): string[] {
    return driven.effects.flatMap((effect) =>
      effect.type === "arrived" ? effect.items.map((item) => item.alert_id) : [],
    );
  }

  test("a new item is told once, the backlog never", () => {
    const driven = new Driven().online(two);
    expect(arrived(driven)).toEqual([]);
    driven.frame(inboxFrame(3, [own("c", 30)], 3));
    expect(arrived(driven)).toEqual(["c"]);
    driven.frame(inboxFrame(4, [own("c", 30)], 3));
    expect(arrived(driven)).toEqual([]);
  });

  test("an old item that becomes unread again is no arrival", () => {
    const driven = new Driven().online(two);
    driven.frame(inboxFrame(3, [own("a", 10)], 2));
    expect(arrived(driven)).toEqual([]);
  });

  test("what is read already is no arrival", () => {
    const driven = new Driven().online(two);
    const marks = { ...watermarks, seen_up_to: 30, read_up_to: 30 };
    driven.frame(inboxFrame(3, [own("c", 30)], 0, { watermarks: marks }));
    expect(arrived(driven)).toEqual([]);
  });

  test("what a lost frame would have told, the healing read tells", () => {
    const driven = new Driven().online(two);
    driven.frame(head(3));
    driven.step({ type: "timer", timer: "own_hole" });
    driven.answer(changesAnswer(at(3), [own("c", 30)]));
    expect(arrived(driven)).toEqual(["c"]);
  });
});
