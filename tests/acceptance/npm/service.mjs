// Runs Microsoft's service client: node service.mjs CONNECTION_STRING HUB STEPS, or ENDPOINT HUB STEPS SERVER_KEY.
// A server key is what the package takes for a credential of Entra ID.  Each step is {group?, call, args}; what each returned, or its failure, is told as one JSON list.
import { WebPubSubServiceClient } from "@azure/web-pubsub";

const [place, hub, steps, key] = process.argv.slice(2);
const credential = { getToken: async () => ({ token: key, expiresOnTimestamp: Date.now() + 3_600_000 }) };
const service =
  key === undefined
    ? new WebPubSubServiceClient(place, hub, { allowInsecureConnection: true })
    : new WebPubSubServiceClient(place, credential, hub);

async function run({ group, call, args }) {
  const target = group === undefined ? service : service.group(group);
  try {
    const result = await target[call](...args);
    return { value: call === "listConnections" ? await all(result) : (result ?? null) };
  } catch (error) {
    return { status: error.statusCode, code: error.code };
  }
}

async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

const told = [];
for (const step of JSON.parse(steps)) told.push(await run(step));
process.stdout.write(JSON.stringify(told));
