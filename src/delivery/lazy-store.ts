import { messageOf } from "../observe/logging";
import type { ConsumerStore } from "../store/consumer/store";
import type { ConsumerStores } from "../store/consumer/stores";
import { temporaryConsumerStore } from "../store/open";
import { steadyNow } from "../timing/clock";
import type { Consumer } from "./consumer-options";
import { HandlerTransaction } from "./handler-transaction";

const expireInboxEveryMs = 600_000;

type Stores = Pick<ConsumerStores, "open" | "shownOf">;

/** Opens the consumer's store on first use. A RabbitMQ consumer without `exactlyOnce` or failures never creates one. */
export class LazyStore {
  #opening: Promise<ConsumerStore> | undefined;
  #timer: Timer | undefined;

  constructor(
    readonly consumer: Consumer,
    readonly consumers: Stores,
    readonly options: { readonly durable: boolean },
  ) {}

  /** Opens the store, or resolves with it if it is open. */
  readonly open = (): Promise<ConsumerStore> => {
    if (!this.#opening) {
      const opening = this.#open();
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return this.#opening;
  };

  /** Opens the store that is now in its place if the open one was removed or replaced, which closes the old one. */
  readonly renew = async (): Promise<ConsumerStore> => {
    if (this.#opening && (await (await this.#opening).isReplaced())) {
      const { queue, log } = this.consumer;
      log.error(
        { queue, file: this.consumers.shownOf(queue) },
        "The consumer's file was removed or replaced; continuing with the current one",
      );
      await this.close();
    }
    return this.open();
  };

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    // If it could not be opened, there is nothing to close.
    const store = await opening?.catch(() => undefined);
    clearInterval(this.#timer);
    await store?.close();
  }

  async #open(): Promise<ConsumerStore> {
    const { consumer } = this;
    const opened = consumer.temporary
      ? temporaryConsumerStore()
      : await this.consumers.open(consumer.queue, { ...this.options, patienceMs: consumer.timeouts.ms });
    try {
      await opened.bound(steadyNow());
      if (consumer.exactlyOnce) await this.#setUp(opened);
    } catch (error) {
      await opened.close();
      throw error;
    }
    return opened;
  }

  async #setUp(store: ConsumerStore): Promise<void> {
    const { setup, inboxRetentionMs } = this.consumer;
    await store.setUp(async (transaction) => {
      const tx = new HandlerTransaction(transaction, "The setup");
      await setup(tx);
      tx.finish();
    });
    await this.#expireInbox(store);
    this.#timer = setInterval(() => void this.#expireInbox(store), Math.min(expireInboxEveryMs, inboxRetentionMs));
  }

  async #expireInbox(store: ConsumerStore): Promise<void> {
    const { queue, log, inboxRetentionMs } = this.consumer;
    try {
      await store.inbox.expire(steadyNow() - inboxRetentionMs);
    } catch (error) {
      // The disk may be full, for example. Old entries that stay do no harm.
      log.warn({ queue, error: messageOf(error) }, "Cannot remove old entries of the inbox; retrying");
    }
  }
}
