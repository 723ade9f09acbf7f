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
  /**
   * Sets the policy with which classic queues keep their messages on the disk only, as RabbitMQ 3.12 and later always do, or removes it.
   * It holds for queues that exist and for those declared later.
   */
  lazyQueues(isLazy: boolean): Promise<void>;
  /** Stops the node cleanly. Its queues keep their messages. */
  stop(): Promise<void>;
  start(): Promise<void>;
  empty(): Promise<void>;
  dispose(): Promise<void>;
}

const lazyPolicy = "lazy";

/** @param parent Folder on a disk, since RabbitMQ flushes what it confirms. */
export async function startBroker(parent: string): Promise<BenchBroker> {
  const rabbit = await startRabbit({ parent });
  try {
    // A node that has just started is slow for the first messages.
    await run(["bench/baselines/raw-publish.ts", rabbit.url, "warm_up", "20000"]).exited;
    await emptyBroker(rabbit);
    const pid = Number(await rabbit.evaluate("os:getpid()"));
    let connection = await connect(rabbit.url);
    let channel = await connection.createChannel();
    let hasPolicy = false;
    return {
      url: rabbit.url,
      pid,
      depth: async (queue) => (await channel.checkQueue(queue)).messageCount,
      consumers: async (queue) => (await channel.checkQueue(queue)).consumerCount,
      purge: async (queue) => (await channel.purgeQueue(queue)).messageCount,
      async lazyQueues(isLazy) {
        if (isLazy && !hasPolicy) await rabbit.ctl("set_policy", lazyPolicy, ".*", '{"queue-mode":"lazy"}', "--apply-to", "queues");
        else if (!isLazy && hasPolicy) await rabbit.ctl("clear_policy", lazyPolicy);
        hasPolicy = isLazy;
      },
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
