// Microsoft's client comes back to its groups: node rejoin.mjs URL URL, the second for the connection after the first.
// It prints what it was told of the group that it was in, as one JSON object.
import { WebPubSubClient } from "@azure/web-pubsub-client";

const urls = process.argv.slice(2);
const client = new WebPubSubClient({ getClientAccessUrl: async () => urls.shift() }, { messageRetryOptions: { maxRetries: 0 } });

client.on("rejoin-group-failed", ({ group, error }) => {
  const told = JSON.stringify({ group, error: error.errorDetail?.name });
  process.stdout.write(told, () => process.exit(0));
});
await client.start();
await client.joinGroup("rejoined");
