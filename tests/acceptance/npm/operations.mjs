// Tells the public operations of Microsoft's packages, as one JSON object: node operations.mjs.
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { WebPubSubClient } from "@azure/web-pubsub-client";
import { WebPubSubEventHandler } from "@azure/web-pubsub-express";

const somewhere = "Endpoint=http://localhost;AccessKey=key;Version=1.0;";
const group = new WebPubSubServiceClient(somewhere, "hub", { allowInsecureConnection: true }).group("group");

const operations = (prototype) =>
  Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => typeof value === "function" && name !== "constructor" && !name.startsWith("_"))
    .map(([name]) => name);

process.stdout.write(
  JSON.stringify({
    service: operations(WebPubSubServiceClient.prototype),
    group: operations(Object.getPrototypeOf(group)),
    client: operations(WebPubSubClient.prototype),
    express: operations(WebPubSubEventHandler.prototype),
  }),
);
