// Microsoft's client raises events and invokes: node events.mjs URL.  It prints what came of each, as one JSON object.
import { WebPubSubClient } from "@azure/web-pubsub-client";

const client = new WebPubSubClient(process.argv[2], { messageRetryOptions: { maxRetries: 0 } });
const told = [];
const plain = (data) => (data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data);
client.on("server-message", ({ message }) => told.push([message.dataType, plain(message.data)]));
client.on("group-message", ({ message }) => told.push([message.group, message.fromUserId, message.data]));

const name = (promise) => promise.then(() => "done", (error) => error.errorDetail?.name ?? error.message);
await client.start();
await client.sendEvent("echo", "text", "text");
await client.sendEvent("echo", { a: [1, null] }, "json");
await client.sendEvent("echo", new Uint8Array([0, 255]).buffer, "binary");
await client.sendEvent("quiet", "x", "text");
await client.sendEvent("count", "x", "text");
await client.sendEvent("count", "x", "text");
await client.sendEvent("recover", "x", "text");
await client.sendToGroup("ops", "to all", "text");
const results = {
  refuse: await name(client.sendEvent("refuse", "x", "text")),
  break: await name(client.sendEvent("break", "x", "text")),
  elsewhere: await name(client.sendToGroup("other", "x", "text")),
  text: await client.invokeEvent("echo", "q", "text"),
  json: await client.invokeEvent("echo", { q: 1 }, "json"),
  quiet: await client.invokeEvent("quiet", "x", "text"),
  refused: await name(client.invokeEvent("refuse", "x", "text")),
  cancelled: await client
    .invokeEvent("hang", "x", "text", { abortSignal: AbortSignal.timeout(200) })
    .then(() => "answered", () => "cancelled"),
  after: await name(client.sendEvent("quiet", "x", "text")),
};
process.stdout.write(`${JSON.stringify({ told, results })}\n`);
client.on("stopped", () => process.exit(0));
client.stop();
