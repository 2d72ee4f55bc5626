// Runs Microsoft's client: node driver.mjs URL PROTOCOL OPTIONS.
// It tells what it experiences, one JSON object per line; any line on standard input stops it.
import { createInterface } from "node:readline";
import {
  WebPubSubClient,
  WebPubSubJsonProtocol,
  WebPubSubJsonReliableProtocol,
} from "@azure/web-pubsub-client";

const tell = (event, more) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const [url, name, options] = process.argv.slice(2);
const protocols = [WebPubSubJsonProtocol(), WebPubSubJsonReliableProtocol()];
const protocol = protocols.find((one) => one.name === name);
const client = new WebPubSubClient(url, { ...JSON.parse(options), protocol });

client.on("connected", ({ connectionId }) => tell("connected", { id: connectionId }));
client.on("disconnected", ({ connectionId }) => tell("disconnected", { id: connectionId }));
client.on("server-message", ({ message }) =>
  tell("message", { data: message.data, sequence: message.sequenceId ?? null }),
);
client.on("stopped", () => process.exit(0));

createInterface({ input: process.stdin }).on("line", () => client.stop());
await client.start();
