import type { Log } from "../observe/logging";
import type { AnyAnnouncement, Origin } from "./announcement";
import { signatureHeader, signatureOf } from "./announcement-signature";
import type { Broker } from "./connection";
import { Publisher, Unroutable } from "./publisher";
import { declareSubscriptionsQueue, subscriptionsQueue } from "./topology";

/** Sends announcements to the service, signed, each over a channel of its own. */
export class Announcer {
  /** Who this process is to RabbitMQ, which checks it. Null: RabbitMQ knows it by another name than the URL has. */
  #user: string | null;

  /** @param key null: they are not signed. */
  constructor(
    readonly broker: Broker,
    brokerUrl: string,
    readonly key: string | null,
    readonly log: Log,
  ) {
    this.#user = decodeURIComponent(new URL(brokerUrl).username) || "guest";
  }

  /** Fulfils when RabbitMQ has it. */
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
    const origin: Origin = { issuedAt: new Date().toISOString(), user: this.#user };
    const content = Buffer.from(JSON.stringify({ ...announcement, ...origin }));
    await this.broker.withConfirmChannel(async (channel) => {
      channel.on("error", (error: Error) => {
        // Whoever logs in with a token, say: from now on without the name.
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
