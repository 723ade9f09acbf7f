// SQLite can wait for a lock by itself (busy_timeout), but it does so on the event loop: nothing else happens meanwhile, not
// even an answer to /health/live. So connections of the API and of consumers have no such timeout, and waiting is done here.

/** How long a write waits for a lock that another process holds, in milliseconds. */
export const lockPatienceMs = 5000;

const longestPauseMs = 50;

/** Whether a lock of another process forbids it now; also for an error that was caused by such a one. */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && String(error.code).startsWith("SQLITE_BUSY")) || isBusy(error.cause);
}

/**
 * Runs `work`, and runs it again between other work of this process as long as a lock of another process forbids it. `work`
 * must leave nothing half done when it throws.
 *
 * @param patienceMs after so long the error of SQLite is thrown.
 */
export async function whenUnlocked<T>(work: () => T | Promise<T>, patienceMs = lockPatienceMs): Promise<T> {
  for (const retry = new LockRetry(patienceMs); ; ) {
    try {
      return await work();
    } catch (error) {
      const pauseMs = retry.pauseMs(error);
      if (pauseMs === undefined) throw error;
      await Bun.sleep(pauseMs);
    }
  }
}

/** When to try again what a lock forbids. */
export class LockRetry {
  readonly #deadline: number;
  #pauseMs = 0.5;

  /** Counts from now. */
  constructor(patienceMs: number) {
    this.#deadline = performance.now() + patienceMs;
  }

  /** Undefined: the error is another one, or it took too long. */
  pauseMs(error: unknown): number | undefined {
    if (!isBusy(error) || performance.now() >= this.#deadline) return undefined;
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
    return this.#pauseMs;
  }
}
