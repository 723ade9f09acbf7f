// Only consumes and acknowledges. `bun bench/baselines/raw-consume.ts URL QUEUE COUNT`
import { connect } from "amqplib";
import { startClock } from "../clock";

const [url = "", queue = "", count = "0"] = process.argv.slice(2);
const connection = await connect(url);
const channel = await connection.createChannel();
await channel.prefetch(512);

let handled = 0;
let clock = startClock();
const all = Promise.withResolvers<void>();
await channel.consume(queue, (message) => {
  if (!message) return;
  if (handled === 0) clock = startClock();
  handled += 1;
  channel.ack(message);
  if (handled === Number(count)) all.resolve();
});
await all.promise;
const timing = clock(handled);
// The broker replies after the last ack has arrived.
await channel.close();
console.log(JSON.stringify(timing));
await connection.close();
