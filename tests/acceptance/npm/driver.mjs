// Runs Microsoft's client and tells what it experiences, one JSON object per line; any line on standard
// input stops it.
import { createInterface } from "node:readline";
import { WebPubSubClient } from "@azure/web-pubsub-client";

const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const [url, options] = process.argv.slice(2);
const client = new WebPubSubClient(url, JSON.parse(options));

client.on("connected", ({ connectionId, userId }) => tell({ event: "connected", connectionId, userId }));
client.on("disconnected", ({ connectionId }) => tell({ event: "disconnected", connectionId }));
client.on("server-message", ({ message }) => tell({ event: "message", dataType: message.dataType, data: message.data }));
client.on("stopped", () => process.exit(0));

createInterface({ input: process.stdin }).on("line", () => client.stop());
await client.start();
