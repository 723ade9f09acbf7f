// Interference with the queues by other programs, and RabbitMQ's reaction to a slow consumer.
import { writeFileSync } from "node:fs";
import { type Channel, connect } from "amqplib";
import { eventually, send } from "../../support/processes";
import { bindingsIn, closeConnections } from "../../support/rabbit";
import type { Fault } from "../fault";
import { type Role, roleNames, roles } from "../roles";
import type { System } from "../system";

const transports = ["rabbitmq"] as const;

/** Works on a separate connection, like a program unrelated to Warren. */
async function asStranger(system: System, work: (channel: Channel) => Promise<unknown>): Promise<void> {
  const connection = await connect(system.rabbit.url);
  connection.on("error", () => {});
  try {
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    await work(channel);
  } finally {
    await connection.close().catch(() => {});
  }
}

export const queueArguments: Fault = {
  name: "queue-arguments",
  title: "another program redeclares or replaces a queue with other arguments",
  transports,
  strikes: { full: 20, short: 4 },
  unnoticed: true,
  replays: true,
  async strike(system, { number }) {
    const { queue } = roles[system.random.of(roleNames)];
    const other = { durable: true, arguments: { "x-max-length": 1_000_000 + number } };
    // RabbitMQ refuses that, and closes the stranger's channel.
    await asStranger(system, (channel) => channel.assertQueue(queue, other).catch(() => {}));
    await asStranger(system, async (channel) => {
      await channel.deleteQueue(queue);
      await channel.assertQueue(queue, other);
    });
  },
  // Messages of a deleted queue are gone. The log still has the events, and an operator replays them.
  async heal(system) {
    for (const role of roleNames) {
      await bound(system, role);
      await replay(system, role);
    }
  },
};

/** Resolves when the queue has its consumer's bindings. From then on, no replay is needed. */
async function bound({ rabbit }: System, role: Role): Promise<void> {
  const { queue, kinds } = roles[role];
  const keys = role === "shared" ? ["item.*"] : kinds.map((kind) => `item.${kind}`);
  await eventually(
    async () => {
      const bindings = await bindingsIn(rabbit);
      return keys.every((key) => bindings.includes(`events ${queue} ${key}`)) || undefined;
    },
    `${queue} to be bound`,
    60_000,
  );
}

async function replay(system: System, role: Role): Promise<void> {
  const { queue } = roles[role];
  await eventually(
    async () => {
      const answer = await send("POST", `${system.url}/replays`, { queue });
      return answer.ok || undefined;
    },
    `a replay to ${queue}`,
    60_000,
  );
}

export const queueDeleted: Fault = {
  name: "queue-deleted",
  title: "a consumer's own queue is deleted: it is created again and filled from the log",
  transports,
  strikes: { full: 20, short: 4 },
  unnoticed: true,
  async strike(system) {
    const { queue } = roles[system.random.of<Role>(["filtered", "once"])];
    await asStranger(system, (channel) => channel.deleteQueue(queue));
  },
};

export const queuesGone: Fault = {
  name: "queues-gone",
  title: "all queues are deleted while no consumer runs: later events still get their queues",
  transports,
  strikes: { full: 10, short: 2 },
  unnoticed: true,
  async strike(system) {
    const { clients, consumers, random } = system;
    // Messages of a deleted queue are lost, so make sure that it is empty.
    await clients.stop();
    await system.quiet();
    for (const role of roleNames) await consumers[role].stop();
    await asStranger(system, async (channel) => {
      for (const role of roleNames) await channel.deleteQueue(roles[role].queue);
    });
    clients.start();
    await clients.until(random.between(20, 100));
    await system.startAll();
  },
};

export const ackTimeout: Fault = {
  name: "ack-timeout",
  title: "a handler exceeds RabbitMQ's acknowledgement timeout",
  transports,
  strikes: { full: 10, short: 2 },
  unnoticed: true,
  async strike(system, { number }) {
    const { rabbit, consumers } = system;
    if (number === 1) {
      for (const [key, ms] of [
        ["consumer_timeout", 1000],
        ["channel_tick_interval", 500],
      ]) {
        await rabbit.evaluate(`application:set_env(rabbit, ${key}, ${ms})`);
      }
      // A channel reads the setting when it is opened.
      await closeConnections(rabbit);
    }
    const { filtered } = consumers;
    const closed = () => filtered.output.filter((line) => line.includes("RabbitMQ closed a channel")).length;
    const before = closed();
    writeFileSync(`${system.recordFile("filtered")}.slow`, "3000");
    await eventually(() => (closed() > before ? true : undefined), "RabbitMQ to lose patience", 30_000);
  },
  async heal({ rabbit }) {
    await rabbit.evaluate(
      "application:set_env(rabbit, consumer_timeout, 1800000), application:set_env(rabbit, channel_tick_interval, 60000)",
    );
    await closeConnections(rabbit);
  },
};
