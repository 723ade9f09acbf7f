import type { ConsumerStore } from "../store/consumer/store";
import { StoreUnavailable } from "../store/errors";
import type { Consumer } from "./consumer-options";

const lookEveryMs = 5000;

/**
 * Checks every few seconds whether the store of a consumer can be reached, so that its health says so before an event comes. Returns a
 * function that ends it.
 */
export function watchStore(
  { queue, log, storeTrouble }: Pick<Consumer, "queue" | "log" | "storeTrouble">,
  store: () => Promise<Pick<ConsumerStore, "inbox">>,
  everyMs = lookEveryMs,
): () => void {
  let isLooking = false;
  const look = async () => {
    // A database that does not answer takes longer.
    if (isLooking) return;
    isLooking = true;
    try {
      await (await store()).inbox.has("");
      storeTrouble.end();
    } catch (error) {
      // Whoever handles the next event deals with other errors.
      if (error instanceof StoreUnavailable && storeTrouble.begin(error.message))
        log.warn({ queue, error: error.message }, "Cannot reach the database; retrying");
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  return () => clearInterval(timer);
}
