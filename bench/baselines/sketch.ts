// A common sketch of an event-driven service: items in memory, and each event published without waiting for a confirm.
// `RABBITMQ_URL=… bun bench/baselines/sketch.ts`
import { connect } from "amqplib";
import { createApp } from "./echo";

const queue = "item_events";
const connection = await connect(process.env["RABBITMQ_URL"] ?? "amqp://guest:guest@localhost:5672");
const channel = await connection.createChannel();
await channel.assertQueue(queue, { durable: true });

const app = createApp((item) => {
  const event = { type: "item.created", item, timestamp: new Date().toISOString() };
  channel.sendToQueue(queue, Buffer.from(JSON.stringify(event)), { persistent: true, contentType: "application/json" });
}).listen({ port: 0, hostname: "127.0.0.1" });
console.log(`sketch listens on ${app.server?.url.origin}`);
