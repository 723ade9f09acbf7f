import { join } from "node:path";
import { ConfigError, readConfig } from "../config/config";
import { ConsumerError, type ConsumerOptions } from "../delivery/consumer-options";
import type { RunningConsumer } from "../delivery/running";
import { createLog } from "../observe/logging";
import { startTracing } from "../observe/start-tracing";
import { tell } from "../observe/terminal";
import type { Tracing } from "../observe/tracing";
import { UnknownEventType } from "../schema/catalogue";
import { onStopSignal } from "../timing/stop-signal";
import { areLookedAt } from "./describe-only";
import { helpOf, readFlags, type ServerFlags } from "./flags";
import { serveConsumers, servings } from "./serve";
import { serviceName, startConsumer } from "./start";

/** How long a stop waits for the events in hand. */
const drainTimeoutMs = 8000;

interface RunOptions {
  /** Called when a stop begins, for what a handler had better give up then. Default: nothing. */
  readonly onStop?: () => void;
  /** As those of `runConsumer`. */
  readonly flags?: ServerFlags;
}

/**
 * Runs several consumers as this process's whole work, as `runConsumer` does one. Each has its queue, its retries and its
 * dead letters to itself, so that one that fails holds up no other; a stop ends them all. When one of them cannot start
 * or go on, the others finish the events in hand, the mistake is printed, and the process exits with 1.
 */
export async function runConsumers(consumers: readonly ConsumerOptions[], { onStop = () => {}, flags }: RunOptions = {}): Promise<never> {
  if (areLookedAt(consumers)) return new Promise<never>(() => {});
  let running: readonly RunningConsumer[] = [];
  let tracing: Promise<Tracing> | undefined;
  const stop = async () => {
    onStop();
    const stopped = await Promise.allSettled(running.map((consumer) => consumer.stop()));
    await (await tracing)?.stop();
    for (const { reason } of stopped.filter((stop) => stop.status === "rejected")) throw reason;
  };
  try {
    const served = servings(flags ?? readFlags(helpOf(consumers), {}));
    const config = readConfig({ isTerminal: Boolean(process.stderr.isTTY), listens: false });
    const log = createLog({ level: config.logLevel, format: config.logFormat, stream: 2 });
    tracing = startTracing(config, serviceName(), log);
    const starting = tracing.then((started) =>
      Promise.allSettled(consumers.map((options) => startConsumer(options, config, log, started))),
    );
    onStopSignal(log, drainTimeoutMs, async () => {
      await starting;
      await stop();
    });
    const started = await starting;
    running = started.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
    const mistakes = started.flatMap((start) => (start.status === "rejected" ? [start.reason as unknown] : []));
    if (mistakes.length > 0) throw new AggregateError(mistakes);
    for (const serving of served) serveConsumers(serving, running, log);
    await Promise.all(running.map((consumer) => consumer.ended));
    await (await tracing).stop();
    process.exit(0);
  } catch (error) {
    for (const mistake of error instanceof AggregateError ? error.errors : [error]) {
      const known = mistake instanceof ConfigError || mistake instanceof ConsumerError || mistake instanceof UnknownEventType;
      tell(known ? mistake.message : Bun.inspect(mistake));
    }
    await Promise.race([stop().catch(() => {}), Bun.sleep(drainTimeoutMs)]);
    process.exit(1);
  }
}

/**
 * The folder in which consumers keep files of their own.
 *
 * @throws {ConfigError}
 */
export function consumersFolder(): string {
  return join(readConfig({ isTerminal: false, listens: false }).dataDir, "consumers");
}
