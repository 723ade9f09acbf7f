// SQLite can wait for a lock itself (busy_timeout), but that blocks the event loop: not even /health/live would respond.
// Connections of the API and of consumers therefore have no such timeout, and this module waits for locks.

import { codeOf } from "../../../observe/error-code";

/** Default time that a write waits for another process's lock, in milliseconds. */
export const lockPatienceMs = 5000;

const longestPauseMs = 50;

/** Returns whether an error, or its cause, means that another process holds the lock. */
export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith("SQLITE_BUSY") || (error instanceof Error && isBusy(error.cause));
}

/**
 * Runs `work`, and retries it without blocking the event loop while another process holds the lock. `work` must be atomic: if
 * it throws, it must have changed nothing.
 *
 * @param patienceMs how long to retry before throwing the error of SQLite. Default: {@link lockPatienceMs}.
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

/** Computes the pauses between attempts to get a lock. */
export class LockRetry {
  readonly #deadline: number;
  #pauseMs = 0.5;

  /** @param patienceMs how long to retry, counted from now. */
  constructor(patienceMs: number) {
    this.#deadline = performance.now() + patienceMs;
  }

  /** Returns the pause before the next attempt in milliseconds, or undefined for any other error or if the time is up. */
  pauseMs(error: unknown): number | undefined {
    if (!isBusy(error) || performance.now() >= this.#deadline) return undefined;
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
    return this.#pauseMs;
  }
}
