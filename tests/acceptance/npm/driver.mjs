// Runs Microsoft's client: node driver.mjs URL OPTIONS.
// It tells what it experiences, one JSON object per line; any line on standard input stops it.
import { createInterface } from "node:readline";
import { WebPubSubClient } from "@azure/web-pubsub-client";

const tell = (event, more) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const [url, options] = process.argv.slice(2);
const client = new WebPubSubClient(url, JSON.parse(options));

client.on("connected", ({ connectionId }) => tell("connected", { id: connectionId }));
client.on("disconnected", ({ connectionId }) => tell("disconnected", { id: connectionId }));
client.on("server-message", ({ message }) => tell("message", { data: message.data }));
client.on("stopped", () => process.exit(0));

createInterface({ input: process.stdin }).on("line", () => client.stop());
await client.start();
