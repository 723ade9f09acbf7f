// Places large numbers of dead letters where a consumer would have put them.
import { join } from "node:path";
import { connect } from "amqplib";
import { serializeEvent } from "../../src/schema/event";
import { whenUnlocked } from "../../src/store/sqlite/connection/lock-wait";
import { openConsumerFile } from "../../src/store/sqlite/consumer/file";

/** An event that a consumer gave up on. */
export interface DeadEvent {
  readonly id: string;
  readonly body: string;
}

export function deadEvents(count: number): DeadEvent[] {
  const timestamp = new Date().toISOString();
  return Array.from({ length: count }, (_, index) => {
    const id = Bun.randomUUIDv7();
    const record = { id: index + 1, name: "b", description: null, price: null, version: 1, createdAt: timestamp, updatedAt: timestamp };
    return { id, body: serializeEvent({ id, type: "item.created", version: 1, timestamp }, "item", JSON.stringify(record)) };
  });
}

/** Dead letters of a transport, accessed from outside of the program. */
export interface DeadQueue {
  fill(queue: string, events: readonly DeadEvent[]): Promise<void>;
  depth(queue: string): Promise<number>;
}

export function deadQueueInFile(folder: () => string): DeadQueue {
  const open = (queue: string) => openConsumerFile(join(folder(), "data", "consumers", `${queue}.db`), { durable: false });
  return {
    async fill(queue, events) {
      // A running API may write to the file, too: a job of dead letters, or the removal of the queue.
      const file = await whenUnlocked(() => open(queue));
      const about = { type: "item.created", reason: "rejected", error: "no", stack: null, attempts: 1, firstFailure: "", lastFailure: "" };
      await whenUnlocked(() =>
        file.together(async ({ dead }) => {
          for (const event of events) await dead.add({ ...about, ...event, replay: "no", traceparent: null });
        }),
      );
      await file.close();
    },
    async depth(queue) {
      const file = await whenUnlocked(() => open(queue));
      const count = await whenUnlocked(() => file.dead.count());
      await file.close();
      return count;
    },
  };
}

/** @param options.persistent Whether the messages survive a broker restart. Persistent ones take longer. */
export function deadQueueOnRabbitmq(url: () => string, options = { persistent: true }): DeadQueue {
  return {
    async fill(queue, events) {
      const connection = await connect(url());
      const channel = await connection.createConfirmChannel();
      await channel.assertQueue(`${queue}.dead`, { durable: true });
      const about = { type: "item.created", headers: { "x-reason": "rejected", "x-attempts": 1 }, ...options };
      for (const [index, { id, body }] of events.entries()) {
        channel.sendToQueue(`${queue}.dead`, Buffer.from(body), { ...about, messageId: id });
        if (index % 10_000 === 9999) await channel.waitForConfirms();
      }
      await channel.waitForConfirms();
      await connection.close();
    },
    async depth(queue) {
      const connection = await connect(url());
      const { messageCount } = await (await connection.createChannel()).checkQueue(`${queue}.dead`);
      await connection.close();
      return messageCount;
    },
  };
}
