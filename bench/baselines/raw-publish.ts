// Publishes with confirms and nothing else. `bun bench/baselines/raw-publish.ts URL QUEUE COUNT`
import { connect } from "amqplib";
import { startClock } from "../clock";
import { sampleEvents } from "../sample-events";

const [url = "", queue = "", count = "0"] = process.argv.slice(2);
const window = 2048;
const connection = await connect(url);
const channel = await connection.createConfirmChannel();
await channel.assertQueue(queue, { durable: true });
// Made beforehand: this measures publishing.
const bodies = sampleEvents(Number(count));

const clock = startClock();
let sent = 0;
let confirmed = 0;
const all = Promise.withResolvers<void>();
function fill(): void {
  for (; sent < bodies.length && sent - confirmed < window; sent += 1) {
    channel.publish("", queue, bodies[sent] as Buffer, { persistent: true }, onConfirm);
  }
}
function onConfirm(error: unknown): void {
  if (error) all.reject(error);
  confirmed += 1;
  if (confirmed === bodies.length) all.resolve();
  else fill();
}
fill();
await all.promise;
console.log(JSON.stringify(clock(confirmed)));
await connection.close();
