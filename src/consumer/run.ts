import { basename } from "node:path";
import { type Config, ConfigError, readConfig } from "../config/config";
import type { AskedTypes, EventPattern, NewestTypes } from "../delivery/consumed-events";
import { ConsumerError } from "../delivery/consumer-error";
import type { ConsumerOptions } from "../delivery/consumer-options";
import type { WebhookReport } from "../delivery/consumer-report";
import type { RunningConsumer } from "../delivery/running";
import { createLog, type Log, messageOf } from "../observe/logging";
import { startTracing } from "../observe/start-tracing";
import { isTerminal, tell } from "../observe/terminal";
import type { Tracing } from "../observe/tracing";
import { mainFile } from "../project/executable";
import { UnknownEventType } from "../schema/catalogue";
import { CannotOpenStore, PositionBeyondLog, StoreUnavailable } from "../store/errors";
import { atMost } from "../timing/pause";
import { onStopSignal } from "../timing/stop-signal";
import { areLookedAt, type DescribedConsumer } from "./describe-only";
import { helpOf, readFlags, type ServerFlags } from "./flags";
import { serveConsumers, servings } from "./serve";
import { startConsumer } from "./start";

/** Maximum time that a stop waits for events in progress, in milliseconds. */
const drainTimeoutMs = 8000;

interface RunOptions {
  /** Called when a stop begins, to end work that a handler should not continue. Default: nothing. */
  readonly onStop?: () => void;
  /** Flags of the command line, as for `runConsumer`. Default: read here. */
  readonly flags?: ServerFlags | undefined;
  /** Says what the consumers of webhooks' subscriptions report about their subscribers, in the same order. Default: nothing. */
  readonly webhooks?: readonly (() => WebhookReport)[];
}

/**
 * Runs a consumer as the whole work of this process: reads the configuration, chooses the transport, and handles events
 * until SIGINT or SIGTERM. Then it finishes the events in progress and exits with code 0. A second signal exits at once. An
 * error, such as invalid options or environment variables, is printed, and the process exits with code 1.
 *
 * @param flags result of `readFlags`, for a consumer with flags of its own. Default: reads the command line here.
 * `--metrics-port N` and `--health-port N` serve metrics and health, `--help` prints the help, anything else is refused.
 */
export function runConsumer<const Pattern extends EventPattern, const Asked extends AskedTypes = NewestTypes>(
  options: ConsumerOptions<Pattern, Asked>,
  flags?: ServerFlags,
): Promise<never> {
  return run([options], [(...started) => startConsumer(options, ...started)], { flags });
}

/**
 * Runs several consumers as the whole work of this process, as `runConsumer` runs one. Each has its own queue, retries and
 * dead letters, so a failing consumer does not delay the others. A stop signal stops them all.
 *
 * If one of them cannot start or continue, the error is printed and the process exits with code 1. Before it exits, the
 * others have up to 8 seconds to finish the events in progress.
 */
export function runConsumers(consumers: readonly ConsumerOptions[], options: RunOptions = {}): Promise<never> {
  const starts = consumers.map(
    (consumer, index): Start =>
      (...started) =>
        startConsumer(consumer, ...started, options.webhooks?.[index]),
  );
  return run(consumers, starts, options);
}

type Start = (config: Config, log: Log, tracing: Tracing) => Promise<RunningConsumer>;

/** @param starts start the consumers, in the same order. */
async function run(consumers: readonly DescribedConsumer[], starts: readonly Start[], { onStop, flags }: RunOptions): Promise<never> {
  if (areLookedAt(consumers)) return new Promise<never>(() => {});
  let running: readonly RunningConsumer[] = [];
  let tracing: Promise<Tracing> | undefined;
  const stop = async () => {
    onStop?.();
    const stopped = await Promise.allSettled(running.map((consumer) => consumer.stop()));
    await (await tracing)?.stop();
    for (const { reason } of stopped.filter((stop) => stop.status === "rejected")) throw reason;
  };
  try {
    const served = servings(flags ?? readFlags(helpOf(consumers), {}));
    const config = readConfig({ isTerminal: isTerminal(2), listens: false });
    const log = createLog({ level: config.logLevel, format: config.logFormat, stream: 2 });
    tracing = startTracing(config, serviceName(), log);
    const starting = tracing.then((started) => Promise.allSettled(starts.map((start) => start(config, log, started))));
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
    await atMost(drainTimeoutMs, stop()).catch(() => {});
    process.exit(1);
  }
}

/** Errors about options, the environment or the store, whose message says what to do. */
const known = [ConfigError, ConsumerError, UnknownEventType, CannotOpenStore, StoreUnavailable, PositionBeyondLog];

/** Prints the message of a known mistake, and any other error with its stack. */
function tellMistake(error: unknown): void {
  tell(known.some((kind) => error instanceof kind) ? messageOf(error) : Bun.inspect(error));
}

/** Returns the service name of this process, such as `warren-logger` for consumers/logger.ts. */
function serviceName(): string {
  return `warren-${basename(mainFile(), ".ts")}`;
}
