import { ConsumerError } from "../delivery/consumer-error";
import type { Consumer } from "../delivery/consumer-options";
import { defaultDeliveryLimit, type QueueDanger } from "./queue-dangers";
import { dangerText, type QueueInspector } from "./queue-inspection";
import { warnOf } from "./queue-watch";
import { declareDeadQueue } from "./topology";

/** Checks how a consumer's queue was set up, each time the consumer attaches to it. */
export class QueueSetup {
  #dangers: readonly QueueDanger[] = [];
  #deliveryLimit = defaultDeliveryLimit;
  #isQuorum = false;
  readonly #said = new Set<string>();

  /** @param strict whether the consumer refuses a queue that could drop events. */
  constructor(
    readonly inspector: QueueInspector,
    readonly consumer: Consumer,
    readonly strict: boolean,
  ) {}

  /** Why the queue could drop events. Empty if it cannot. */
  get problems(): string[] {
    return this.#dangers.map((danger) => dangerText(this.consumer.queue, danger));
  }

  get isQuorum(): boolean {
    return this.#isQuorum;
  }

  /**
   * Number of deliveries after which the consumer gives an event back as a copy, whose count begins at 0. Half of the limit is left for
   * crashes and lost connections, which count as well.
   */
  get mostRequeues(): number {
    return Math.floor(this.#deliveryLimit / 2);
  }

  /** @throws {ConsumerError} if the consumer refuses the queue. */
  async check(): Promise<void> {
    const { queue, temporary, log } = this.consumer;
    if (temporary) return;
    const found = await this.inspector.inspect(queue);
    this.#dangers = found?.dangers ?? [];
    this.#deliveryLimit = found && found.deliveryLimit !== -1 ? found.deliveryLimit : defaultDeliveryLimit;
    this.#isQuorum = found?.isQuorum ?? false;
    // RabbitMQ itself can dead-letter from a quorum queue, by an argument or a policy.
    if (this.#isQuorum) await declareDeadQueue(this.inspector.broker, queue, log);
    if (this.strict && this.#dangers.length > 0) throw new ConsumerError(refusal(queue, this.#dangers));
    for (const danger of this.#dangers) warnOf(queue, danger, log, this.#said);
  }
}

function refusal(queue: string, dangers: readonly QueueDanger[]): string {
  const lines = dangers.map(({ argument, what, todo }) => `  - ${what} (${argument}). ${todo}`);
  return `The queue "${queue}" could drop events, which STRICT_TOPOLOGY=on forbids:\n${lines.join("\n")}`;
}
