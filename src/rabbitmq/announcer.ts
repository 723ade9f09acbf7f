import type { Log } from "../observe/logging";
import { timestamp } from "../timing/clock";
import type { AnyAnnouncement, Origin } from "./announcement";
import { signatureHeader, signatureOf } from "./announcement-signature";
import type { Broker } from "./connection";
import { Publisher, Unroutable } from "./publisher";
import { declareSubscriptionsQueue, subscriptionsQueue } from "./topology";

/** Sends announcements to the API, signed if there is a key, each on its own channel. */
export class Announcer {
  /** RabbitMQ user of this process, which RabbitMQ checks. Null if RabbitMQ knows the process by another name than the URL's. */
  #user: string | null;

  /** @param key Signing key; null sends announcements unsigned. */
  constructor(
    readonly broker: Broker,
    readonly key: string | null,
    readonly log: Log,
  ) {
    this.#user = broker.user;
  }

  /** Resolves when RabbitMQ has confirmed the announcement. Declares the subscriptions queue if it does not exist. */
  async announce(announcement: AnyAnnouncement): Promise<void> {
    try {
      await this.#publish(announcement);
    } catch (error) {
      if (!(error instanceof Unroutable)) throw error;
      await declareSubscriptionsQueue(this.broker, this.log);
      await this.#publish(announcement);
    }
  }

  async #publish(announcement: AnyAnnouncement): Promise<void> {
    const origin: Origin = { issuedAt: timestamp(), user: this.#user };
    const content = Buffer.from(JSON.stringify({ ...announcement, ...origin }));
    await this.broker.withConfirmChannel(async (channel) => {
      channel.on("error", (error: Error) => {
        // The user name differs from the URL's, for example after a login with a token: omit it from now on.
        if (/user_id/.test(error.message)) this.#user = null;
      });
      await new Publisher(channel).publish({
        exchange: "",
        routingKey: subscriptionsQueue,
        content,
        options: {
          messageId: Bun.randomUUIDv7(),
          type: "warren.subscription",
          contentType: "application/json",
          persistent: true,
          ...(this.#user !== null && { userId: this.#user }),
          ...(this.key !== null && { headers: { [signatureHeader]: signatureOf(this.key, content) } }),
        },
      });
    });
  }
}
