import type { ConsumerReport } from "../delivery/consumer-report";
import type { Log } from "../observe/logging";
import { aborted } from "../timing/pause";
import { isSignedWith, signatureHeader, signatureOf } from "./announcement-signature";
import type { Broker, ConsumeMessage } from "./connection";
import { isAccessDenied } from "./reply-code";

/** An exchange that each virtual host has. What nobody listens for is dropped there. */
const exchange = "amq.topic";
const routingKey = "warren.report";
/** Sets signatures of reports apart from others of the same key. */
const purpose = "report";
/** Maximum size of a report, in bytes. */
const longest = 16_384;

/** The brokers that allow no reports. */
const refusing = new WeakSet<Broker>();

/**
 * Sends a report of a consumer to all processes of the API that listen. Does nothing if RabbitMQ does not allow this user to.
 *
 * @param key signs the report: the API ignores others.
 */
export async function sendReport(broker: Broker, key: string | null, report: ConsumerReport): Promise<void> {
  if (key === null || refusing.has(broker) || broker.state !== "connected") return;
  const content = Buffer.from(JSON.stringify(report));
  const options = { contentType: "application/json", headers: { [signatureHeader]: signatureOf(key, content, purpose) } };
  await broker.withConfirmChannel(async (channel) => {
    channel.on("error", (error: Error) => {
      if (isAccessDenied(error)) refusing.add(broker);
    });
    await new Promise<void>((resolve, reject) =>
      channel.publish(exchange, routingKey, content, options, (error: unknown) => (error ? reject(error) : resolve())),
    );
  });
}

/** Listens for the reports of consumers while somebody wants to know. */
export class ReportListener {
  #stop: AbortController | undefined;
  #isRefused = false;

  /**
   * @param key returns the key that reports are signed with.
   * @param onReport called with the text of each report that is signed.
   */
  constructor(
    readonly broker: Broker,
    readonly key: () => string | null,
    readonly onReport: (text: string) => void,
    readonly log: Log,
  ) {}

  start(): void {
    if (this.#stop || this.#isRefused) return;
    const stop = new AbortController();
    this.#stop = stop;
    const key = this.key();
    if (key === null) return;
    void this.broker.keepChannel(async (channel, closed) => {
      try {
        const { queue } = await channel.assertQueue(`warren.reports.${crypto.randomUUID()}`, {
          ...{ exclusive: true, autoDelete: true, durable: false },
          ...{ messageTtl: 30_000, maxLength: 1000 },
        });
        await channel.bindQueue(queue, exchange, routingKey);
        await channel.consume(queue, (message) => this.#take(message, key), { noAck: true });
      } catch (error) {
        if (!isAccessDenied(error)) throw error;
        this.#isRefused = true;
        stop.abort();
        this.log.info("RabbitMQ does not allow this user to listen for what consumers report; /consumers stays empty");
      }
      await aborted(AbortSignal.any([closed, stop.signal]));
    }, stop.signal);
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
  }

  #take(message: ConsumeMessage | null, key: string): void {
    const signature: unknown = message?.properties.headers?.[signatureHeader];
    if (!message || message.content.length > longest || typeof signature !== "string") return;
    if (isSignedWith(key, message.content, signature, purpose)) this.onReport(message.content.toString());
  }
}
