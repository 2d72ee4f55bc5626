// An application on Microsoft's own middleware: node handler.mjs HUB PORT.
// It tells what it is told, one JSON object per line; standard input closing ends it.
import express from "express";
import { WebPubSubEventHandler } from "@azure/web-pubsub-express";

const tell = (event, more) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const [hub, port] = process.argv.slice(2);
const failures = new Map();

const user = {
  echo: ({ data, dataType }, response) =>
    response.success(dataType === "json" ? JSON.stringify(data) : data, dataType),
  quiet: (_request, response) => response.success(),
  count: ({ context }, response) => {
    const count = (context.states.count ?? 0) + 1;
    response.setState("count", count);
    response.success(`${count} ${context.states.from}`, "text");
  },
  refuse: (_request, response) => response.fail(400, "not like this"),
  break: (_request, response) => response.fail(500, "broken"),
  hang: () => {},
  recover: ({ context }, response) => {
    const tries = (failures.get(context.connectionId) ?? 0) + 1;
    failures.set(context.connectionId, tries);
    if (tries === 1) response.fail(503, "not yet");
    else response.success(`try ${tries}`, "text");
  },
};

const handler = new WebPubSubEventHandler(hub, {
  path: "/events",
  allowedEndpoints: process.argv[4] === undefined ? undefined : [process.argv[4]],
  handleConnect(request, response) {
    tell("connect", { user: request.context.userId, query: request.queries, claims: request.claims });
    if (request.queries.as?.[0] === "nobody") {
      response.fail(401, "nobody is not wanted");
      return;
    }
    if (request.queries.as?.[0] === "stranger") {
      response.failWith({ code: 400, detail: "strangers say who they are" });
      return;
    }
    response.setState("from", "connect");
    response.success({ userId: "made", groups: ["ops"], roles: ["webpubsub.sendToGroup.ops"] });
  },
  handleUserEvent(request, response) {
    tell("user", { name: request.context.eventName, type: request.dataType });
    user[request.context.eventName](request, response);
  },
  onConnected: ({ context }) => tell("connected", { user: context.userId }),
  onDisconnected: ({ context, reason }) => tell("disconnected", { user: context.userId, reason }),
});
const server = express().use(handler.getMiddleware()).listen(Number(port), "127.0.0.1", () => tell("listening"));
process.stdin.on("end", () => server.close(() => process.exit(0))).resume();
process.stdin.on("end", () => server.closeAllConnections());
