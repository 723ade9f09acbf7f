import { connect } from "amqplib";
import { eventually, run } from "../tests/support/processes";
import { emptyBroker, type Rabbit, startRabbit } from "../tests/support/rabbit";

/** The private RabbitMQ of a benchmark, and what is in it. */
export interface BenchBroker {
  readonly url: string;
  /** The process that does its work, until it is stopped. */
  readonly pid: number;
  /** How many messages wait in a queue that nobody consumes. */
  depth(queue: string): Promise<number>;
  consumers(queue: string): Promise<number>;
  /** Takes every message out of a queue; answers how many. */
  purge(queue: string): Promise<number>;
  /** Goes away politely, and keeps what is in its queues. */
  stop(): Promise<void>;
  start(): Promise<void>;
  empty(): Promise<void>;
  dispose(): Promise<void>;
}

export async function startBroker(): Promise<BenchBroker> {
  const rabbit = await startRabbit();
  try {
    // A node that has just started is slow for the first messages.
    await run(["bench/baselines/raw-publish.ts", rabbit.url, "warm_up", "20000"]).exited;
    await emptyBroker(rabbit);
    const pid = Number((await rabbit.ctl("-q", "eval", "os:getpid().")).replace(/\D/g, ""));
    let connection = await connect(rabbit.url);
    let channel = await connection.createChannel();
    return {
      url: rabbit.url,
      pid,
      depth: async (queue) => (await channel.checkQueue(queue)).messageCount,
      consumers: async (queue) => (await channel.checkQueue(queue)).consumerCount,
      purge: async (queue) => (await channel.purgeQueue(queue)).messageCount,
      async stop() {
        await connection.close();
        await rabbit.stop();
      },
      async start() {
        await rabbit.start();
        connection = await connect(rabbit.url);
        channel = await connection.createChannel();
      },
      empty: () => emptyBroker(rabbit),
      async dispose() {
        await connection.close().catch(() => {});
        await remove(rabbit);
      },
    };
  } catch (error) {
    await remove(rabbit);
    throw error;
  }
}

async function remove(rabbit: Rabbit): Promise<void> {
  await rabbit.dispose().catch(async () => {
    // Ctrl+C in a terminal reaches RabbitMQ, too, which is then on its way down by itself.
    await eventually(() => !rabbit.isUp() || undefined, "RabbitMQ to stop");
    await rabbit.dispose();
  });
}
