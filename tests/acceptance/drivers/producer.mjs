// Publishes with the producer for Node what standard input says, and prints each outcome (see producers.py).
import { text } from "node:stream/consumers";
import { Producer } from "@tocsin/web/producer";

const order = JSON.parse(await text(process.stdin));
const producer = new Producer();

async function publishEach(alerts, atOnce) {
  const outcomes = new Array(alerts.length);
  const waiting = alerts.entries();
  const publishOn = async () => {
    for (const [place, alert] of waiting) {
      outcomes[place] = await producer.publish(alert).catch((error) => error);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, publishOn));
  return outcomes;
}

const outcomes = order.batch
  ? await producer.publishMany(order.alerts)
  : await publishEach(order.alerts, order.at_once);
const told = outcomes.map((outcome) =>
  outcome instanceof Error ? { code: outcome.code } : { id: outcome.id, repeat: outcome.isRepeat },
);
console.log(JSON.stringify(told));
