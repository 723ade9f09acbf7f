import { messageOf } from "../observe/logging";
import type { ConsumerStore } from "../store/consumer/store";
import type { ConsumerStores } from "../store/consumer/stores";
import { temporaryConsumerStore } from "../store/open";
import { steadyNow } from "../timing/steady-time";
import type { Consumer } from "./consumer-options";

const expireInboxEveryMs = 600_000;

export interface LazyStore {
  /** Opens the store, or returns it if it is open. */
  open(): ConsumerStore;
  /** Opens the store that is now in its place if the open one was removed or replaced, which closes the old one. */
  renew(): ConsumerStore;
  close(): void;
}

/** Opens the consumer's store on first use. A RabbitMQ consumer without `exactlyOnce` or failures never creates one. */
export function lazyStore(
  consumer: Consumer,
  consumers: Pick<ConsumerStores, "open" | "shownOf">,
  options: { durable: boolean },
): LazyStore {
  let store: ConsumerStore | undefined;
  let timer: Timer | undefined;
  function open(): ConsumerStore {
    const opened = consumer.temporary ? temporaryConsumerStore() : consumers.open(consumer.queue, options);
    try {
      opened.bound(steadyNow());
      if (consumer.exactlyOnce) opened.together(() => consumer.setup(opened.transaction));
    } catch (error) {
      opened.close();
      throw error;
    }
    if (consumer.exactlyOnce) {
      const { queue, log } = consumer;
      const expire = () => {
        try {
          opened.inbox.expire(steadyNow() - consumer.inboxRetentionMs);
        } catch (error) {
          // The disk may be full, for example. Old entries that stay do no harm.
          log.warn({ queue, error: messageOf(error) }, "Cannot remove old entries of the inbox; retrying");
        }
      };
      expire();
      timer = setInterval(expire, Math.min(expireInboxEveryMs, consumer.inboxRetentionMs));
    }
    return opened;
  }
  function close(): void {
    clearInterval(timer);
    store?.close();
    store = undefined;
  }
  function openOnce(): ConsumerStore {
    store ??= open();
    return store;
  }
  return {
    open: openOnce,
    renew() {
      if (store?.isReplaced()) {
        const { queue, log } = consumer;
        log.error(
          { queue, file: consumers.shownOf(queue) },
          "The consumer's file was removed or replaced; continuing with the current one",
        );
        close();
      }
      return openOnce();
    },
    close,
  };
}
