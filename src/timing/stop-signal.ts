import { type Log, messageOf } from "../observe/logging";

/** Repetitions of a signal within this time are ignored: `bun run` forwards a SIGINT that Ctrl+C has already sent to its child. */
const echoMs = 250;

/** Calls `first` at the first of the signals, and `again` at each later one, except for echoes of the first. */
export function onSignals(signals: readonly NodeJS.Signals[], first: (signal: NodeJS.Signals) => void, again: () => void): void {
  let known: { signal: NodeJS.Signals; at: number } | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (known?.signal === signal && performance.now() - known.at < echoMs) return;
    if (known) return again();
    known = { signal, at: performance.now() };
    first(signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
}

/**
 * Stops a process gracefully. The first SIGINT or SIGTERM runs `stop` and exits with code 0, or with code 1 if `stop` fails or
 * takes longer than `timeoutMs`. A second signal exits immediately with code 130.
 */
export function onStopSignal(log: Log, timeoutMs: number, stop: () => Promise<void>): void {
  const begin = async (signal: NodeJS.Signals) => {
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
  onSignals(
    ["SIGINT", "SIGTERM"],
    (signal) => void begin(signal),
    () => process.exit(130),
  );
}
