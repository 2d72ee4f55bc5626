import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ReliableSocket } from "../src/core/socket.ts";
import { FakeSocket } from "./fake-socket.ts";
import { FakeStreams } from "./fake-stream.ts";

let told: string[];
let data: unknown[];
let streams: FakeStreams;
let urls: ReturnType<typeof vi.fn<() => Promise<string>>>;
let socket: ReliableSocket;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  told = [];
  data = [];
  streams = new FakeStreams();
  let tokens = 0;
  urls = vi.fn(async () => {
    tokens += 1;
    return `ws://test/client/hubs/default?access_token=jwt${tokens}`;
  });
  socket = new ReliableSocket({
    url: urls,
    stream: streams.open,
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

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Refuse every socket at once, as a proxy does, until a stream was asked for. */
async function refuseSockets(): Promise<void> {
  const before = streams.made.length;
  while (streams.made.length === before) {
    if (FakeSocket.made.length > 0 && FakeSocket.last.readyState === 0) FakeSocket.last.breaks();
    await pass(50);
  }
}

async function onStream(): Promise<void> {
  socket.open();
  await pass(0);
  await refuseSockets();
  await streams.last.accept();
}

describe("a stream is opened", () => {
  test("after two sockets that were refused", async () => {
    await onStream();
    expect(FakeSocket.made).toHaveLength(2);
    expect([socket.status, socket.transport, told]).toEqual(["online", "stream", ["open"]]);
  });

  test("while a socket that is not answered still tries", async () => {
    socket.open();
    await pass(4_900);
    expect(streams.made).toHaveLength(0);
    await pass(200);
    await streams.last.accept();
    expect([FakeSocket.made.length, socket.status, socket.transport]).toEqual([
      1,
      "online",
      "stream",
    ]);
  });

  test("after sockets that open and are cut at once, instead of taking them up again for ever", async () => {
    socket.open();
    await pass(0);
    for (let times = 0; streams.made.length === 0; times += 1) {
      expect(times).toBeLessThan(4);
      if (socket.status === "recovering") FakeSocket.last.upgrade();
      else FakeSocket.last.accept("c1");
      FakeSocket.last.breaks();
      await pass(1_500);
    }
    await streams.last.accept();
    expect([socket.status, told]).toEqual(["online", ["open", "lost", "open"]]);
  });

  test("not for a server that says why it closes, nor for a line that broke after a while", async () => {
    socket.open();
    await pass(0);
    for (let time = 0; time < 6; time += 1) {
      FakeSocket.last.accept(`c${time}`);
      if (time % 2) {
        await pass(11_000);
        FakeSocket.last.breaks();
        await pass(500);
        FakeSocket.last.upgrade();
        FakeSocket.last.breaks(1008, "recovery-impossible");
      } else {
        FakeSocket.last.breaks(1001, "retry-after-ms=100");
      }
      const made = FakeSocket.made.length;
      while (FakeSocket.made.length === made) await pass(100);
    }
    expect(streams.made).toHaveLength(0);
  });

  test("and a socket again where the stream is refused too", async () => {
    socket.open();
    await pass(0);
    await refuseSockets();
    await streams.last.accept(503);
    while (FakeSocket.made.length < 3) await pass(100);
    FakeSocket.last.accept("c1");
    expect([socket.status, socket.transport]).toEqual(["online", "socket"]);
  });

  test("and is given up when it is not answered", async () => {
    socket.open();
    await pass(0);
    await refuseSockets();
    await pass(20_000);
    expect(streams.made[0]?.signal.aborted).toBe(true);
    expect(FakeSocket.made.length).toBeGreaterThan(2);
  });
});

describe("on a stream", () => {
  beforeEach(onStream);

  test("frames come as from a socket, however the bytes are cut", async () => {
    await streams.last.data({ kind: "head", text: "line\u2028break é" });
    const text = `id: e1:2:0\ndata: {"n":1}\n\n:\n\ndata: {"n":2}\n\n`;
    for (const letter of text) await streams.last.says(letter);
    expect(data).toEqual([{ kind: "head", text: "line\u2028break é" }, { n: 1 }, { n: 2 }]);
  });

  test("nothing is sent", async () => {
    await streams.last.data({ n: 1 });
    await pass(40_000);
    expect(FakeSocket.made.flatMap(({ sent }) => sent)).toEqual([]);
  });

  test("heartbeats keep it, and silence ends it", async () => {
    for (let beat = 0; beat < 4; beat += 1) {
      await pass(30_000);
      await streams.last.says(":\n\n");
    }
    expect(streams.made).toHaveLength(1);
    await pass(51_000);
    expect(streams.made[0]?.signal.aborted).toBe(true);
    expect(told).toEqual(["open", "lost"]);
  });

  test("a broken one is followed by another, with a fresh token", async () => {
    await pass(12_000);
    const asked = urls.mock.calls.length;
    await streams.last.breaks();
    expect(told).toEqual(["open", "lost"]);
    await pass(300);
    await streams.last.accept();
    expect([streams.made.length, urls.mock.calls.length - asked]).toEqual([2, 1]);
    expect(told).toEqual(["open", "lost", "open"]);
  });

  test("an end is a close: it says when to come back", async () => {
    await streams.last.ends(1001, "retry-after-ms=8000");
    expect(told).toEqual(["open", "lost"]);
    await pass(5_900);
    expect(streams.made).toHaveLength(1);
    await pass(200);
    expect(streams.made).toHaveLength(2);
  });

  test("close ends it for good, and the tries beside it", async () => {
    socket.close();
    expect(streams.last.signal.aborted).toBe(true);
    await pass(600_000);
    expect([streams.made.length, FakeSocket.made.length]).toEqual([1, 2]);
  });
});

describe("back to the socket", () => {
  beforeEach(onStream);

  test("it is tried ever more rarely, each time with a fresh token", async () => {
    let tried = FakeSocket.made.length;
    const waits: number[] = [];
    for (let waited = 0; waits.length < 4; waited += 500) {
      await pass(500);
      await streams.last.says(":\n\n");
      if (FakeSocket.made.length === tried) continue;
      tried = FakeSocket.made.length;
      FakeSocket.last.breaks();
      waits.push(waited);
      waited = 0;
    }
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits[3]).toBeGreaterThan(40_000);
    expect(FakeSocket.last.url).toContain(`jwt${urls.mock.calls.length}`);
    expect([streams.made.length, told]).toEqual([1, ["open"]]);
  });

  test("one that is greeted takes over, and until then the stream is heard", async () => {
    await pass(8_000);
    FakeSocket.last.upgrade();
    await streams.last.data("by stream");
    FakeSocket.last.accept("c1");
    FakeSocket.last.data(1, "by socket");
    expect(data).toEqual(["by stream", "by socket"]);
    expect(told).toEqual(["open", "lost", "open"]);
    expect([socket.status, socket.transport]).toEqual(["online", "socket"]);
    expect(streams.last.signal.aborted).toBe(true);
    await pass(1_000);
    expect(FakeSocket.last.sent).toEqual([{ type: "sequenceAck", sequenceId: 1 }]);
  });

  test("one that is swallowed is left alone at the next try", async () => {
    await pass(8_000);
    const swallowed = FakeSocket.last;
    for (let time = 0; time < 3; time += 1) {
      await pass(10_000);
      await streams.last.says(":\n\n");
    }
    expect(swallowed.readyState).toBe(3);
    expect(FakeSocket.last).not.toBe(swallowed);
    expect([socket.status, socket.transport]).toEqual(["online", "stream"]);
  });

  test("one that took over and falls silent is taken up again", async () => {
    await pass(8_000);
    FakeSocket.last.accept("c1");
    await pass(50_000);
    expect(socket.status).toBe("recovering");
    await pass(3_000);
    expect(new URL(FakeSocket.last.url).searchParams.get("awps_connection_id")).toBe("c1");
    expect(streams.made).toHaveLength(1);
  });

  test("one that took over and is cut at once gives the stream back", async () => {
    await pass(8_000);
    FakeSocket.last.accept("c1");
    FakeSocket.last.breaks();
    await pass(3_000);
    await streams.last.accept();
    expect([streams.made.length, socket.status, socket.transport]).toEqual([2, "online", "stream"]);
  });

  test("the socket that took over is one like any other", async () => {
    await pass(8_000);
    FakeSocket.last.accept("c1");
    await pass(20_000);
    FakeSocket.last.breaks();
    expect(socket.status).toBe("recovering");
    await pass(300);
    expect(new URL(FakeSocket.last.url).searchParams.get("awps_connection_id")).toBe("c1");
    FakeSocket.last.upgrade();
    expect([socket.status, told]).toEqual(["online", ["open", "lost", "open"]]);
    expect(streams.made).toHaveLength(1);
  });
});
