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
  /** Sets the policy of all classic queues, of those that exist and those declared later. */
  queuePolicy(policy: QueuePolicy): Promise<void>;
  /** Stops the node cleanly. Its queues keep their messages. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Removes queues, exchanges and the policy. */
  empty(): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * How classic queues keep messages: by `default` in memory as well as on the disk, with `lazy` on the disk only, as RabbitMQ 3.12 and later
 * always do, with `v2` in the files of version 2.
 */
export type QueuePolicy = keyof typeof policies;

const policies = { default: undefined, lazy: '{"queue-mode":"lazy"}', v2: '{"queue-version":2}' } as const;

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
    let policy: QueuePolicy = "default";
    // As `rabbitmqctl set_policy` and `clear_policy`, which would each start an Erlang machine.
    const queuePolicy = async (next: QueuePolicy) => {
      const definition = policies[next];
      if (next === policy) return;
      if (definition)
        await rabbit.evaluate(
          `ok = rabbit_policy:parse_set(<<"/">>, <<"bench">>, <<".*">>, <<${JSON.stringify(definition)}>>, "0", <<"queues">>, <<"bench">>)`,
        );
      else await rabbit.evaluate(`ok = rabbit_policy:delete(<<"/">>, <<"bench">>, <<"bench">>)`);
      policy = next;
    };
    return {
      url: rabbit.url,
      pid,
      depth: async (queue) => (await channel.checkQueue(queue)).messageCount,
      consumers: async (queue) => (await channel.checkQueue(queue)).consumerCount,
      purge: async (queue) => (await channel.purgeQueue(queue)).messageCount,
      queuePolicy,
      async stop() {
        await connection.close();
        await rabbit.stop();
      },
      async start() {
        await rabbit.start();
        connection = await connect(rabbit.url);
        channel = await connection.createChannel();
      },
      async empty() {
        await emptyBroker(rabbit);
        await queuePolicy("default");
      },
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
