import { type Log, messageOf } from "../observe/logging";

/** Repetitions of a signal within this time are ignored: `bun run` forwards a SIGINT that Ctrl+C has already sent to its child. */
const echoMs = 250;

/**
 * Stops a process gracefully. The first SIGINT or SIGTERM runs `stop` and exits with code 0, or with code 1 if `stop` fails or
 * takes longer than `timeoutMs`. A second signal exits immediately with code 130.
 */
export function onStopSignal(log: Log, timeoutMs: number, stop: () => Promise<void>): void {
  let first: { signal: NodeJS.Signals; at: number } | undefined;
  const onSignal = async (signal: NodeJS.Signals) => {
    if (first?.signal === signal && performance.now() - first.at < echoMs) return;
    if (first) process.exit(130);
    first = { signal, at: performance.now() };
    log.info({ signal }, "Stopping; a second signal exits immediately");
    setTimeout(() => {
      log.error({ timeoutMs }, "Stopping took too long; unfinished events are handled again after the next start");
      process.exit(1);
    }, timeoutMs);
    try {
      await stop();
      process.exit(0);
    } catch (error) {
      log.error({ error: messageOf(error) }, "Stopping failed");
      process.exit(1);
    }
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}
