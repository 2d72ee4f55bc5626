import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type Accepted,
  type AlertDraft,
  Producer,
  type ProducerOptions,
  RefusedError,
  UnsettledError,
} from "../src/producer/index.ts";
import { type Heard, ScriptedServer, type Step } from "./scripted-server.ts";

const accepted: Step = { status: 202, body: { id: "a1", status: "accepted" } };
const hello: AlertDraft = { to: { users: ["ada"] }, title: "Hello" };
const key = "tsk_key";
let servers: ScriptedServer[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
});

async function serve(...script: Step[]): Promise<[ScriptedServer, string]> {
  const server = new ScriptedServer(...script);
  servers.push(server);
  return [server, await server.listen()];
}

function problem(status: number, code: string, more: object = {}): Step {
  return { status, body: { code, detail: `${code}!`, ...more } };
}

/** A producer whose pauses are as short as they get. */
function producerOf(url: string, options: ProducerOptions = {}): Producer {
  vi.spyOn(Math, "random").mockReturnValue(0);
  return new Producer({ url, key, ...options });
}

function numbered(count: number): AlertDraft[] {
  return Array.from({ length: count }, (_, number) => ({ ...hello, id: `${number}` }));
}

describe("one alert", () => {
  test("whatever happens to an attempt, the same alert is sent again", async () => {
    const busy = { status: 503, body: { code: "queue-full", detail: "full" } };
    const steps: Step[] = ["drop", "hang", "half", busy];
    const [server, url] = await serve(...steps, accepted);
    // The time of the attempt that hangs is over once it does, that of the others never.
    let attempt = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => {
      attempt = new AbortController();
      return attempt.signal;
    });
    server.onHang = () => attempt.abort(new DOMException("timed out", "TimeoutError"));
    const outcome = await producerOf(url, { timeoutMs: 300 }).publish(hello);
    expect(timeout.mock.calls).toEqual(new Array(5).fill([300]));
    expect(outcome).toEqual({ id: "a1", isRepeat: false });
    expect(server.heard).toHaveLength(5);
    for (const heard of server.heard) expect(heard).toEqual(server.heard[0]);
    const [alert] = server.heard[0]?.alerts ?? [];
    expect(alert).toMatchObject({ ...hello, id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(server.heard[0]?.authorization).toBe(`Bearer ${key}`);
  });

  test.each([408, 425, 429, 500, 502])("%i is tried again", async (status) => {
    const [server, url] = await serve({ status, body: "<html>" }, accepted);
    await producerOf(url).publish(hello);
    expect(server.heard).toHaveLength(2);
  });

  test("a success that is not Tocsin's is no success", async () => {
    const [server, url] = await serve({ status: 200, body: "<html>Sign in" }, accepted);
    await producerOf(url).publish(hello);
    expect(server.heard).toHaveLength(2);
  });

  test("the caller's own id is kept, and a repeat is told", async () => {
    const [server, url] = await serve({ status: 202, body: { id: "a1", status: "duplicate" } });
    expect((await producerOf(url).publish({ ...hello, id: "mine" })).isRepeat).toBe(true);
    expect(server.heard[0]?.alerts[0]?.id).toBe("mine");
  });

  test.each([301, 400, 401, 404, 409, 413])("%i is told with the problem", async (status) => {
    const [server, url] = await serve(problem(status, "some-code", { pointer: "/title" }));
    const refused = await producerOf(url)
      .publish(hello)
      .catch((error) => error);
    expect(refused).toBeInstanceOf(RefusedError);
    expect(refused).toMatchObject({
      code: "some-code",
      message: "some-code!",
      pointer: "/title",
      status,
    });
    expect(server.heard).toHaveLength(1);
  });

  test("Retry-After is waited for", async () => {
    const [, url] = await serve(
      { status: 429, body: {}, headers: { "retry-after": "1" } },
      accepted,
    );
    const began = performance.now();
    await producerOf(url).publish(hello);
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_000);
  });

  test("a wait that is longer than the deadline is not begun", async () => {
    const body = { code: "queue-full", detail: "full" };
    const headers = { "retry-after": "3600" };
    const [server, url] = await serve({ status: 503, body, headers });
    const unsettled = await producerOf(url)
      .publish(hello)
      .catch((error) => error);
    expect(unsettled).toBeInstanceOf(UnsettledError);
    expect(unsettled).toMatchObject({
      code: "queue-full",
      alertId: server.heard[0]?.alerts[0]?.id,
    });
    expect(server.heard).toHaveLength(1);
  });

  test("a server that is not there is told after the deadline", async () => {
    const [server, url] = await serve(accepted);
    await server.close();
    servers = [];
    const clock = vi.spyOn(performance, "now");
    const slow: typeof fetch = (...call) =>
      fetch(...call).finally(() => clock.mockReturnValue(Number.POSITIVE_INFINITY));
    const unsettled = await producerOf(url, { fetch: slow })
      .publish(hello)
      .catch((e) => e);
    expect(unsettled).toBeInstanceOf(UnsettledError);
    expect(unsettled.message).toContain("ECONNREFUSED");
  });

  test("ids are drawn where there is no global crypto, as in Node 18", async () => {
    vi.stubGlobal("crypto", undefined);
    const [server, url] = await serve(accepted);
    await producerOf(url).publish(hello);
    expect(server.heard[0]?.alerts[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  });
});

describe("many alerts", () => {
  function take({ alerts }: Heard): Step {
    const results = alerts.map(({ id }) => ({ id: `server-${id}`, status: "accepted" }));
    return { status: 202, body: { results } };
  }

  test("are split into batches, and keep their order", async () => {
    const [server, url] = await serve(accepted);
    server.decide = take;
    const outcomes = await producerOf(url).publishMany(numbered(2_500));
    expect(server.heard.map(({ alerts }) => alerts.length)).toEqual([1_000, 1_000, 500]);
    expect(outcomes.map((outcome) => (outcome as Accepted).id)).toEqual(
      numbered(2_500).map(({ id }) => `server-${id}`),
    );
  });

  test("of many bytes make smaller batches", async () => {
    const [server, url] = await serve(accepted);
    server.decide = take;
    const body = "é".repeat(30_000);
    await producerOf(url).publishMany(numbered(300).map((alert) => ({ ...alert, body })));
    expect(server.heard.map(({ alerts }) => alerts.length)).toEqual([139, 139, 22]);
  });

  test("none are no request", async () => {
    const [server, url] = await serve(accepted);
    expect(await producerOf(url).publishMany([])).toEqual([]);
    expect(server.heard).toEqual([]);
  });

  test("only what was put off is sent again, and a bad one is refused alone", async () => {
    const [server, url] = await serve(accepted);
    server.decide = (heard) => {
      const isFirst = server.heard.length === 1;
      const results = heard.alerts.map(({ id }) => {
        if (id === "1") {
          const pointer = "/1/to/users";
          return { status: "refused", error: { code: "invalid-audience", detail: "", pointer } };
        }
        const error = { code: "queue-full", detail: "full", retryable: true };
        if (id === "2" && isFirst) return { status: "refused", error };
        return { id, status: "accepted" };
      });
      return { status: 202, body: { results } };
    };
    const outcomes = await producerOf(url).publishMany(numbered(4));
    expect(server.heard.map(({ alerts }) => alerts.length)).toEqual([4, 1]);
    expect(outcomes[1]).toBeInstanceOf(RefusedError);
    expect(outcomes[1]).toMatchObject({
      code: "invalid-audience",
      pointer: "/to/users",
      status: null,
    });
    expect(outcomes.toSpliced(1, 1)).toEqual(
      ["0", "2", "3"].map((id) => ({ id, isRepeat: false })),
    );
  });

  test("one whose outcome is unknown is sent again with its id", async () => {
    const [server, url] = await serve(accepted);
    server.decide = ({ alerts }) => {
      const isFirst = server.heard.length === 1;
      const results = alerts.map(({ id }) => {
        if (id === "0" || !isFirst) return { id, status: "accepted" };
        const error = { code: "unknown-outcome", detail: "lost", retryable: true };
        return { status: "unknown", error: { ...error, repeat_with: { id } } };
      });
      return { status: 202, body: { results } };
    };
    const outcomes = await producerOf(url).publishMany(numbered(3));
    expect(server.heard.map(({ alerts }) => alerts.map(({ id }) => id))).toEqual([
      ["0", "1", "2"],
      ["1", "2"],
    ]);
    expect(outcomes).toEqual(["0", "1", "2"].map((id) => ({ id, isRepeat: false })));
  });

  test("a server of smaller limits gets smaller batches", async () => {
    const [server, url] = await serve(accepted);
    server.decide = (heard) =>
      heard.alerts.length > 3 ? problem(413, "batch-too-large") : take(heard);
    const outcomes = await producerOf(url).publishMany(numbered(10));
    expect(server.heard.map(({ alerts }) => alerts.length)).toEqual([10, 5, 2, 3, 5, 2, 3]);
    expect(outcomes).toHaveLength(10);
  });

  test("that are never answered are told one by one", async () => {
    const [, url] = await serve("drop");
    const outcomes = await producerOf(url, { deadlineMs: 300 }).publishMany(numbered(2));
    expect(outcomes.map((outcome) => (outcome as UnsettledError).alertId)).toEqual(["0", "1"]);
  });

  test("of a revoked key are refused each", async () => {
    const [, url] = await serve(problem(401, "key-revoked"));
    const outcomes = await producerOf(url).publishMany(numbered(2));
    expect(outcomes.map((outcome) => (outcome as RefusedError).code)).toEqual([
      "key-revoked",
      "key-revoked",
    ]);
  });
});

test("where an alert stands, and taking it back", async () => {
  const [server, url] = await serve({ status: 200, body: { id: "a/b", state: "withdrawn" } });
  const producer = producerOf(url);
  expect((await producer.status("a/b")).state).toBe("withdrawn");
  await producer.withdraw("a/b");
  expect(server.heard.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "GET /v1/alerts/a%2Fb",
    "DELETE /v1/alerts/a%2Fb",
  ]);
});

describe("address and key", () => {
  test("come from the environment", async () => {
    const [server, url] = await serve(accepted);
    vi.stubEnv("TOCSIN_URL", `${url}/`);
    vi.stubEnv("TOCSIN_KEY", "tsk_there");
    await new Producer().publish(hello);
    expect(server.heard[0]).toMatchObject({
      path: "/v1/alerts",
      authorization: "Bearer tsk_there",
    });
  });

  test.each([
    ["", key],
    ["127.0.0.1:8080", key],
    ["ftp://host", key],
    ["http://host", ""],
    ["http://host", "k\n"],
  ])("that cannot be one are told at once: %j %j", (url, bad) => {
    expect(() => new Producer({ url, key: bad })).toThrow(TypeError);
  });
});
