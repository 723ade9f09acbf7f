import { connect } from "amqplib";
import { run } from "../tests/support/processes";
import { emptyBroker, startRabbit } from "../tests/support/rabbit";

/** Private RabbitMQ of a benchmark. */
export interface BenchBroker {
  readonly url: string;
  /** Process ID of the node, until it is stopped. */
  readonly pid: number;
  /** Resolves with the number of ready messages in a queue. */
  depth(queue: string): Promise<number>;
  consumers(queue: string): Promise<number>;
  /** Removes every message from a queue. Resolves with their number. */
  purge(queue: string): Promise<number>;
  /** Stops the node cleanly. Its queues keep their messages. */
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
    const pid = Number(await rabbit.evaluate("os:getpid()"));
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
        await rabbit.dispose();
      },
    };
  } catch (error) {
    await rabbit.dispose();
    throw error;
  }
}
