// Only publishes, with confirms. Sends the body alone, or with `same` the message that Warren sends: with properties and headers,
// mandatory, through a topic exchange. `bun bench/baselines/raw-publish.ts URL QUEUE COUNT [same]`
import { connect, type Options } from "amqplib";
import { toMessage } from "../../src/rabbitmq/message";
import type { Event } from "../../src/schema/event";
import { startClock } from "../clock";
import { sampleEvents } from "../sample-events";

const [url = "", queue = "", count = "0", same] = process.argv.slice(2);
const window = 2048;
const exchange = "events";
const connection = await connect(url);
const channel = await connection.createConfirmChannel();
await channel.assertQueue(queue, { durable: true });
if (same) {
  await channel.assertExchange(exchange, "topic", { durable: true });
  await channel.bindQueue(queue, exchange, "item.*");
}
// Created beforehand, since this measures publishing only.
const messages = sampleEvents(Number(count)).map((body) => (same ? asWarren(body) : bare(body)));

interface Message {
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly options: Options.Publish;
}

function bare(content: Buffer): Message {
  return { exchange: "", routingKey: queue, content, options: { persistent: true } };
}

function asWarren(content: Buffer): Message {
  const body = content.toString();
  const { id, type, timestamp, item } = JSON.parse(body) as Event & { item: { id: number } };
  const message = toMessage({ position: 0, id, type, timestamp, subject: item.id, body, traceparent: null }, exchange);
  return { ...message, options: { ...message.options, mandatory: true } };
}

const clock = startClock();
let sent = 0;
let confirmed = 0;
const all = Promise.withResolvers<void>();
function fill(): void {
  for (; sent < messages.length && sent - confirmed < window; sent += 1) {
    const { exchange, routingKey, content, options } = messages[sent] as Message;
    channel.publish(exchange, routingKey, content, options, onConfirm);
  }
}
function onConfirm(error: unknown): void {
  if (error) all.reject(error);
  confirmed += 1;
  if (confirmed === messages.length) all.resolve();
  else fill();
}
fill();
await all.promise;
console.log(JSON.stringify(clock(confirmed)));
await connection.close();
