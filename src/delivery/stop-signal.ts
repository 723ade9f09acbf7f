import { type Log, messageOf } from "../observe/logging";

/**
 * Stops a process well: the first SIGINT or SIGTERM runs `stop` and exits with 0, or with 1 when that fails or takes
 * longer than `timeoutMs`; a second signal exits at once.
 */
export function onStopSignal(log: Log, timeoutMs: number, stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = async (signal: NodeJS.Signals) => {
    if (stopping) process.exit(130);
    stopping = true;
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
