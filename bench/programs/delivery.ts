// Receives the events of a queue until SIGTERM, and reports the time from each change to its delivery. Does little itself, since it shares
// the processor with what it measures. `bun bench/programs/delivery.ts URL QUEUE`
import { connect } from "amqplib";
import { percentile } from "../statistics";

/** Number of messages that one acknowledgement covers. */
const acknowledged = 256;
/** One in so many events is timed. */
const sampled = 8;

const [url = "", queue = ""] = process.argv.slice(2);
const connection = await connect(url);
const channel = await connection.createChannel();
await channel.prefetch(8 * acknowledged);

const delaysMs: number[] = [];
let count = 0;
const { consumerTag } = await channel.consume(queue, (message) => {
  if (!message) return;
  count += 1;
  if (count % sampled === 0) {
    const [, timestamp = ""] = /"timestamp":"([^"]+)"/.exec(message.content.toString()) ?? [];
    delaysMs.push(Date.now() - Date.parse(timestamp));
  }
  if (count % acknowledged === 0) channel.ack(message, true);
});
process.once("SIGTERM", async () => {
  await channel.cancel(consumerTag);
  channel.ackAll();
  await channel.close();
  console.log(JSON.stringify({ count, p50Ms: percentile(delaysMs, 0.5), p99Ms: percentile(delaysMs, 0.99) }));
  await connection.close();
});
console.log("receiving");
