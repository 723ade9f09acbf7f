// Measures publish to delivery on an idle broker, one message at a time. `bun bench/baselines/raw-latency.ts URL COUNT`
import { connect } from "amqplib";
import { sampleEvents } from "../sample-events";

const [url = "", count = "0"] = process.argv.slice(2);
const queue = "raw_latency";
const publishing = await connect(url, { noDelay: true });
const consuming = await connect(url, { noDelay: true });
const publisher = await publishing.createConfirmChannel();
await publisher.assertQueue(queue, { durable: true });
const consumer = await consuming.createChannel();

let arrived = Promise.withResolvers<number>();
await consumer.consume(queue, (message) => {
  if (!message) return;
  arrived.resolve(performance.now());
  consumer.ack(message);
});

const delaysMs: number[] = [];
for (const body of sampleEvents(Number(count))) {
  arrived = Promise.withResolvers();
  const published = performance.now();
  publisher.publish("", queue, body, { persistent: true });
  delaysMs.push((await arrived.promise) - published);
  await Bun.sleep(10);
}
console.log(JSON.stringify({ delaysMs }));
await publishing.close();
await consuming.close();
