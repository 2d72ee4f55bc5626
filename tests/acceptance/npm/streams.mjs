// Microsoft's client sends and reads streams: node streams.mjs PROTOCOL PUBLISHER_URL READER_URL STRANGER_URL.
// It tells what it experiences, one JSON object per line; "half" waits for a line on standard input, and then goes on.
import { createInterface } from "node:readline";
import {
  WebPubSubClient,
  WebPubSubJsonProtocol,
  WebPubSubJsonReliableProtocol,
} from "@azure/web-pubsub-client";

const [kind, publisherUrl, readerUrl, strangerUrl] = process.argv.slice(2);
const tell = (event, more) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const plain = (data) => (data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const open = async (url) => {
  const protocol = kind === "reliable" ? WebPubSubJsonReliableProtocol() : WebPubSubJsonProtocol();
  const client = new WebPubSubClient(url, { protocol, messageRetryOptions: { maxRetries: 0 } });
  const connected = new Promise((resolve) => client.on("connected", resolve));
  await client.start();
  await connected;
  return client;
};

const reader = await open(readerUrl);
await reader.joinGroup("ops");
const read = {};
const ends = {};
reader.onGroupStream(
  async (stream) => {
    const parts = (read[stream.streamId] = []);
    let end = "done";
    try {
      for await (const part of stream) parts.push([part.dataType, plain(part.data), part.fromUserId]);
    } catch (error) {
      end = [error.name, error.userErrorCode ?? null];
    }
    ends[stream.streamId] = end;
    tell("read", { stream: stream.streamId, parts, end });
  },
  { handleFromStart: true },
);

const publisher = await open(publisherUrl);
const whole = await publisher.openGroupStream("ops", { streamId: "whole" });
await whole.write("text", "text");
await whole.write({ a: [1, null] }, "json");
await whole.write(new Uint8Array([0, 255]).buffer, "binary");
await whole.end();

const aborted = await publisher.openGroupStream("ops", { streamId: "aborted" });
await aborted.write("before", "text");
await aborted.abort({ message: "boom", userErrorCode: "app" });

const idle = await publisher.openGroupStream("ops", { streamId: "idle", idleTimeoutInMs: 300 });
idle.onError((error) => tell("closed", { stream: "idle", name: error.name }));
await idle.write("before", "text");

const long = await publisher.openGroupStream("ops", { streamId: "long" });
for (let number = 0; number < 50; number += 1) await long.write(String(number), "text");
tell("half");
await lines.next();
for (let number = 50; number < 100; number += 1) await long.write(String(number), "text");
await long.end();

const stranger = await open(strangerUrl);
const refused = await stranger
  .openGroupStream("ops")
  .then(() => "opened", (error) => error.name);
tell("refused", { name: refused });

const left = await publisher.openGroupStream("ops", { streamId: "left" });
await left.write("before", "text");
tell("leaving");
await lines.next();
publisher.stop();
await lines.next();
for (const client of [reader, stranger]) client.stop();
process.exit(0);
