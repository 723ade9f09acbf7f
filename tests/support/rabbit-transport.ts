import { connect } from "amqplib";
import type { TransportUnderTest } from "./contract";
import { emptyBroker, type Rabbit } from "./rabbit";

/**
 * RabbitMQ, as the contract of both transports tests it.
 *
 * @param restart Restarts it. Undefined if other tests use it too.
 */
export function rabbitTransport(rabbit: () => Rabbit, restart?: () => Promise<void>): TransportUnderTest {
  return {
    rabbitmqUrl: () => rabbit().url,
    sharesQueues: true,
    ...(restart && { restart }),
    sendRaw: async (queue, bodies) => {
      const connection = await connect(rabbit().url);
      const channel = await connection.createConfirmChannel();
      for (const body of bodies) if (!channel.sendToQueue(queue, body)) await new Promise((resolve) => channel.once("drain", resolve));
      await channel.waitForConfirms();
      await connection.close();
    },
    takeReasons: async (queue, count) => {
      const connection = await connect(rabbit().url);
      const channel = await connection.createChannel();
      await channel.assertQueue(queue, { durable: true });
      const reasons: Record<string, number> = {};
      let taken = 0;
      await new Promise<void>((resolve) => {
        void channel.consume(
          queue,
          (message) => {
            const reason = String(message?.properties.headers?.["x-reason"]);
            reasons[reason] = (reasons[reason] ?? 0) + 1;
            taken += 1;
            if (taken === count) resolve();
          },
          { noAck: true },
        );
      });
      await connection.close();
      return reasons;
    },
    cleanUp: () => emptyBroker(rabbit()),
  };
}
