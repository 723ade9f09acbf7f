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
  { queue, log, storeTrouble }: Pick<Consumer, "queue" | "log" | "storeTrouble">,
  work: () => Promise<T>,
  stop?: AbortSignal,
): Promise<T | undefined> {
  while (!stop?.aborted) {
    try {
      const result = await whenUnlocked(work);
      storeTrouble.end();
      return result;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      if (storeTrouble.begin(error.message)) log.warn({ queue, error: error.message }, "Cannot reach the database; retrying");
      await pause(tryEveryMs, stop ?? new AbortController().signal);
    }
  }
  return undefined;
}
