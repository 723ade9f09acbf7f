import type { Config } from "../../config/config";
import { startConsumer } from "../../consumer/start";
import type { ConsumerOptions } from "../../delivery/consumer-options";
import type { RunningConsumer } from "../../delivery/running";
import { loadConsumers } from "../../docs/find-consumers";
import type { Log } from "../../observe/logging";
import { consumerFiles } from "../../project/consumer-files";

/** The consumers of a test's service. */
export interface TestConsumers {
  /** Resolves when every event that was committed before the call is handled, or waits for its time. Rejects if a consumer has failed. */
  rest(): Promise<void>;
  stop(): Promise<void>;
}

/** Loaded only once: a file that runs its consumer when it is loaded never finishes loading. */
let loaded: Promise<readonly ConsumerOptions[]> | undefined;

/** Resolves with the consumers in `consumers/` whose options have a handler, exported or run when the file is loaded. */
export function projectConsumers(): Promise<readonly ConsumerOptions[]> {
  loaded ??= loadConsumers(consumerFiles()).then((found) => found.filter(isRunnable));
  return loaded;
}

function isRunnable(options: object): options is ConsumerOptions {
  return "handle" in options || "handleBatch" in options;
}

/** Starts consumers in this process. Resolves when each of them gets its events. */
export async function startConsumers(consumers: readonly ConsumerOptions[], config: Config, log: Log): Promise<TestConsumers> {
  const started = await Promise.allSettled(consumers.map((options) => start(options, config, log)));
  const running = started.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const stop = async () => {
    await Promise.all(running.map((consumer) => consumer.stop()));
  };
  for (const start of started) {
    if (start.status === "fulfilled") continue;
    await stop();
    throw start.reason;
  }
  return {
    async rest() {
      await Promise.all(running.map((consumer) => Promise.race([consumer.rests?.(), consumer.ended])));
    },
    stop,
  };
}

async function start(options: ConsumerOptions, config: Config, log: Log): Promise<RunningConsumer> {
  let isReady = false;
  const onReady: ConsumerOptions["onReady"] = (transport) => {
    options.onReady?.(transport);
    isReady = true;
  };
  const consumer = await startConsumer({ ...options, onReady }, config, log);
  const failed = consumer.ended.then(() => {
    isReady = true;
  });
  const ready = async () => {
    // A second consumer of a queue stands by.
    while (!isReady && consumer.stage() !== "standing by") await new Promise(setImmediate);
  };
  await Promise.race([ready(), failed]);
  return consumer;
}
