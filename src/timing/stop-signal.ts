import { type Log, messageOf } from "../observe/logging";

/** `bun run` passes on the SIGINT that Ctrl+C has sent to its child already: the same signal so soon after is no second one. */
const echoMs = 250;

/**
 * Stops a process well: the first SIGINT or SIGTERM runs `stop` and exits with 0, or with 1 when that fails or takes
 * longer than `timeoutMs`; a second signal exits at once.
 */
export function onStopSignal(log: Log, timeoutMs: number, stop: () => Promise<void>): void {
  let first: { signal: NodeJS.Signals; at: number } | undefined;
  const onSignal = async (signal: NodeJS.Signals) => {
    if (first?.signal === signal && performance.now() - first.at < echoMs) return;
    if (first) process.exit(130);
    first = { signal, at: performance.now() };
    log.info({ signal }, "Stopping; a second signal exits at once");
    setTimeout(() => {
      log.error({ timeoutMs }, "Stopping took too long; what was in hand is done again after the next start");
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
