import type { ConsumerOptions } from "../delivery/consumer-options";
import type { RunningConsumer } from "../delivery/running";
import type { Tracing } from "../observe/tracing";
import { atMost } from "../timing/pause";
import { onStopSignal } from "../timing/stop-signal";
import { areLookedAt } from "./describe-only";
import type { ServerFlags } from "./flags";
import { serveConsumers } from "./serve";
import { drainTimeoutMs, prepare, startConsumer, tellMistake } from "./start";

interface RunOptions {
  /** Called when a stop begins, to end work that a handler should not continue. Default: nothing. */
  readonly onStop?: () => void;
  /** Flags of the command line, as for `runConsumer`. Default: read here. */
  readonly flags?: ServerFlags;
}

/**
 * Runs several consumers as the whole work of this process, as `runConsumer` runs one. Each has its own queue, retries and
 * dead letters, so a failing consumer does not delay the others. A stop signal stops them all.
 *
 * If one of them cannot start or continue, the error is printed and the process exits with code 1. Before it exits, the
 * others have up to 8 seconds to finish the events in progress.
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
    const { served, config, log, ...prepared } = prepare(consumers, flags);
    tracing = prepared.tracing;
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
    for (const mistake of error instanceof AggregateError ? error.errors : [error]) tellMistake(mistake);
    await atMost(
      drainTimeoutMs,
      stop().catch(() => {}),
    );
    process.exit(1);
  }
}
