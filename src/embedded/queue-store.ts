import { QueueUnavailable, UnknownQueue } from "../delivery/queue-errors";
import type { ConsumerStore } from "../store/consumer/store";
import type { ConsumerStores } from "../store/consumer/stores";
import { isBusy, whenUnlocked } from "../store/open";

/**
 * Opens the store of a queue's consumer for one use.
 *
 * @throws {UnknownQueue} if the queue has none.
 * @throws {QueueUnavailable} if another process locks it for too long, such as a handler in its transaction.
 */
export async function withStore<T>(consumers: ConsumerStores, queue: string, use: (store: ConsumerStore) => Promise<T>): Promise<T> {
  if (!(await consumers.has(queue))) throw new UnknownQueue(queue);
  try {
    return await whenUnlocked(async () => {
      const store = await consumers.open(queue, { durable: false });
      try {
        return await use(store);
      } finally {
        await store.close();
      }
    });
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new QueueUnavailable(`The file ${consumers.shownOf(queue)} has been locked by its consumer for too long; try again.`, {
      cause: error,
    });
  }
}
