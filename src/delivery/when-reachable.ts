import { StoreUnavailable } from "../store/errors";
import { whenUnlocked } from "../store/open";
import { pause } from "../timing/pause";
import type { Consumer } from "./consumer-options";

const tryEveryMs = 250;

/**
 * Does something with a consumer's store, and waits while another process has a lock on it or the database cannot be reached. Resolves
 * with undefined if `stop` aborts before it is done.
 */
export async function whenReachable<T>(
  { queue, log }: Pick<Consumer, "queue" | "log">,
  work: () => Promise<T>,
  stop?: AbortSignal,
): Promise<T | undefined> {
  for (let told = false; !stop?.aborted; told = true) {
    try {
      return await whenUnlocked(work);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      if (!told) log.warn({ queue, error: error.message }, "Cannot reach the database; retrying");
      await pause(tryEveryMs, stop ?? new AbortController().signal);
    }
  }
  return undefined;
}
