// Microsoft's client in groups: node groups.mjs URL.  It prints what came of each call, as one JSON object.
import { WebPubSubClient } from "@azure/web-pubsub-client";

const url = process.argv[2];
const client = new WebPubSubClient({ getClientAccessUrl: async () => url }, { messageRetryOptions: { maxRetries: 0 } });
const heard = [];
const plain = (data) => (data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data);
const took = ({ message }) => heard.push([message.group, message.dataType, plain(message.data)]);
const connected = [false];
client.on("group-message", took);
client.on("connected", () => connected.push(true));

const name = (promise) => promise.then(() => "done", (error) => error.errorDetail?.name ?? error.message);
await client.start();
await client.joinGroup("ops");
await client.sendToGroup("ops", "text", "text");
await client.sendToGroup("ops", { a: [1, null] }, "json");
await client.sendToGroup("ops", new Uint8Array([0, 255]).buffer, "binary");
await client.sendToGroup("ops", "unheard", "text", { noEcho: true });
await client.sendToGroup("ops", "last", "text", { fireAndForget: true });
await client.sendToGroup("ops", "again", "text", { ackId: 1000 });
await client.sendToGroup("ops", "again", "text", { ackId: 1000 });
client.off("group-message", took);
await client.sendToGroup("ops", "not listened to", "text");
await client.sendEvent("tocsin.token", new URL(url).searchParams.get("access_token"), "text");
await client.leaveGroup("ops");
await client.sendToGroup("ops", "after", "text");
const refused = {
  open: await new WebPubSubClient(`${url}x`).start().then(() => "done", () => "not opened"),
  join: await name(client.joinGroup("other")),
  leave: await name(client.leaveGroup("other")),
  send: await name(client.sendToGroup("other", "x", "text")),
  event: await name(client.sendEvent("order", "x", "text")),
};
client.on("stopped", () => {
  connected.push(false);
  process.stdout.write(`${JSON.stringify({ heard, connected, refused })}\n`, () => process.exit(0));
});
client.stop();
