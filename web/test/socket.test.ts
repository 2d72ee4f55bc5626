import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ReliableSocket } from "../src/core/socket.ts";
import { FakeSocket } from "./fake-socket.ts";

const url = "ws://test/client/hubs/default?access_token=jwt";
let told: string[];
let data: unknown[];
let urls: ReturnType<typeof vi.fn<() => Promise<string>>>;
let socket: ReliableSocket;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  data = [];
  urls = vi.fn(async () => url);
  socket = new ReliableSocket({
    url: urls,
    onOpen: () => told.push("open"),
    onLost: () => told.push("lost"),
    onData: (one) => data.push(one),
    WebSocket: FakeSocket.asPlatform(),
    random: () => 0.5,
  });
});

afterEach(() => {
  socket.close();
  vi.useRealTimers();
});

async function online(): Promise<FakeSocket> {
  socket.open();
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.accept("c1");
  return FakeSocket.last;
}

describe("connecting", () => {
  test("offers the reliable protocol and is online when the server says so", async () => {
    const server = await online();
    expect([server.url, server.protocol]).toEqual([url, "json.reliable.webpubsub.azure.v1"]);
    expect([socket.status, told]).toEqual(["online", ["open"]]);
  });

  test("a token provider that fails is asked again, ever more slowly", async () => {
    urls.mockRejectedValue(new Error("no network"));
    socket.open();
    await vi.advanceTimersByTimeAsync(60_000);
    const asked = urls.mock.calls.length;
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(12);
    urls.mockResolvedValue(url);
    while (FakeSocket.made.length === 0) await vi.advanceTimersByTimeAsync(1_000);
    FakeSocket.last.accept("c1");
    expect(socket.status).toBe("online");
  });

  test("a connection that is never accepted is given up after its deadline", async () => {
    socket.open();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(FakeSocket.made[0]?.closedWith).toBe(4000);
    expect(FakeSocket.made.length).toBeGreaterThan(1);
  });

  test("close ends it for good", async () => {
    const server = await online();
    socket.close();
    expect(server.closedWith).toBe(1000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.made).toHaveLength(1);
    expect(told).toEqual(["open", "lost"]);
  });
});

describe("messages", () => {
  test("only what the server sends is passed on, each number once", async () => {
    const server = await online();
    server.data(1, "one");
    server.data(1, "one again");
    server.say({ type: "message", from: "group", sequenceId: 2, data: "forged" });
    server.say("{not json");
    server.data(3, "three");
    expect(data).toEqual(["one", "three"]);
  });

  test("are acknowledged together, a second later", async () => {
    const server = await online();
    server.data(1, "a");
    server.data(2, "b");
    expect(server.sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.sent).toEqual([{ type: "sequenceAck", sequenceId: 2 }]);
  });

  test("are acknowledged at once when 300 are open", async () => {
    const server = await online();
    for (let number = 1; number <= 300; number += 1) server.data(number, number);
    expect(server.sent).toEqual([{ type: "sequenceAck", sequenceId: 300 }]);
  });
});

describe("a broken line", () => {
  test("is taken up again without the caller noticing", async () => {
    const first = await online();
    first.data(1, "one");
    first.breaks();
    expect([socket.status, told]).toEqual(["recovering", ["open"]]);
    await vi.advanceTimersByTimeAsync(1_000);
    const recovery = new URL(FakeSocket.last.url).searchParams;
    expect(recovery.get("awps_connection_id")).toBe("c1");
    expect(recovery.get("awps_reconnection_token")).toBe("t1");
    FakeSocket.last.upgrade();
    FakeSocket.last.data(1, "one");
    FakeSocket.last.data(2, "two");
    expect([socket.status, told, data]).toEqual(["online", ["open"], ["one", "two"]]);
    expect(urls).toHaveBeenCalledTimes(1);
  });

  test("that cannot be taken up is replaced, and the caller is told", async () => {
    (await online()).breaks();
    await vi.advanceTimersByTimeAsync(1_000);
    FakeSocket.last.upgrade();
    FakeSocket.last.breaks(1008, "recovery-impossible");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(FakeSocket.last.url).toBe(url);
    FakeSocket.last.accept("c2");
    expect(told).toEqual(["open", "lost", "open"]);
  });

  test("is not taken up any more after the window", async () => {
    (await online()).breaks();
    for (let second = 0; second < 40; second += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      if (FakeSocket.last.readyState === 0) FakeSocket.last.breaks();
    }
    expect(told).toEqual(["open", "lost"]);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(FakeSocket.last.url).toBe(url);
  });

  test("of silence is found 45 seconds after the last word", async () => {
    const server = await online();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(server.sent).toEqual([{ type: "ping" }]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socket.status).toBe("online");
    await vi.advanceTimersByTimeAsync(5_000);
    expect([server.closedWith, socket.status]).toEqual([4000, "recovering"]);
  });

  test("is not assumed while pongs come", async () => {
    const server = await online();
    for (let ping = 0; ping < 6; ping += 1) {
      await vi.advanceTimersByTimeAsync(20_000);
      server.say({ type: "pong" });
    }
    expect([server.sent.length, socket.status]).toEqual([6, "online"]);
  });
});

describe("an open line, when somebody looks again", () => {
  async function asked(): Promise<FakeSocket> {
    const server = await online();
    await vi.advanceTimersByTimeAsync(1_000);
    socket.hurry();
    const head = { type: "event", event: "tocsin.head", dataType: "text", data: "" };
    expect(server.sent).toEqual([head]);
    return server;
  }

  test("stays when the server says something within 3 s", async () => {
    const server = await asked();
    await vi.advanceTimersByTimeAsync(2_900);
    server.data(1, "head");
    await vi.advanceTimersByTimeAsync(10_000);
    expect([server.closedWith, socket.status]).toEqual([undefined, "online"]);
    expect([FakeSocket.made.length, told]).toEqual([1, ["open"]]);
  });

  test("is taken up again, without a loss, when the server stays silent", async () => {
    const server = await asked();
    await vi.advanceTimersByTimeAsync(2_900);
    expect(socket.status).toBe("online");
    await vi.advanceTimersByTimeAsync(100);
    expect([server.closedWith, socket.status]).toEqual([4000, "recovering"]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(new URL(FakeSocket.last.url).searchParams.get("awps_connection_id")).toBe("c1");
    FakeSocket.last.upgrade();
    expect([socket.status, told]).toEqual(["online", ["open"]]);
  });
});

describe("close codes", () => {
  test.each([1001, 1012])(
    "%i waits for a random part of the last half of the drain",
    async (code) => {
      (await online()).breaks(code, "retry-after-ms=8000");
      expect(told).toEqual(["open", "lost"]);
      await vi.advanceTimersByTimeAsync(5_900);
      expect(FakeSocket.made).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(200);
      expect(FakeSocket.made).toHaveLength(2);
      expect(FakeSocket.last.url).toBe(url);
    },
  );

  test.each([
    [1000, ""],
    [1008, "slow-consumer"],
    [4401, "token-expired"],
  ])("%i %s makes a new connection with a new token at once", async (code, reason) => {
    (await online()).breaks(code, reason);
    await vi.advanceTimersByTimeAsync(250);
    expect(FakeSocket.made).toHaveLength(2);
    expect(urls).toHaveBeenCalledTimes(2);
  });

  test("too many connections backs off", async () => {
    socket.open();
    await vi.advanceTimersByTimeAsync(0);
    for (let time = 0; time < 100; time += 1) {
      if (FakeSocket.last.readyState === 0) {
        FakeSocket.last.accept(`c${time}`);
        FakeSocket.last.breaks(1008, "too-many-connections");
      }
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(FakeSocket.made.length).toBeLessThan(12);
  });

  test("hurry does not wait for the next attempt", async () => {
    (await online()).breaks(1012, "retry-after-ms=60000");
    socket.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.made).toHaveLength(2);
  });
});
