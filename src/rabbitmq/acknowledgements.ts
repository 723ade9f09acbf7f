import type { Outcome } from "../delivery/outcome";
import type { ConfirmChannel, ConsumeMessage } from "./connection";

interface Settled {
  readonly message: ConsumeMessage;
  readonly outcome: Outcome;
}

/**
 * Acknowledges the messages settled in one turn of the event loop together: one frame covers all messages before the oldest unsettled one.
 * One frame and socket write per message was measured to take much of a consumer's time.
 */
export class Acknowledgements {
  #waiting: Settled[] = [];

  /**
   * @param unsettled Messages that the channel has delivered and that are not settled yet, the oldest first.
   * @param lost Called for each message that was settled but could not be acknowledged.
   */
  constructor(
    readonly channel: Pick<ConfirmChannel, "ack">,
    readonly unsettled: ReadonlySet<ConsumeMessage>,
    readonly lost: (message: ConsumeMessage, outcome: Outcome) => void,
  ) {}

  /** Schedules the acknowledgement of a message. The message must no longer be in `unsettled`. */
  add(message: ConsumeMessage, outcome: Outcome): void {
    // This adds no latency: amqplib itself keeps a frame until the next turn of the event loop.
    if (this.#waiting.push({ message, outcome }) === 1) process.nextTick(() => this.flush());
  }

  /** Sends the pending acknowledgements to the channel. Never throws. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const [oldest] = this.unsettled;
    const end = oldest === undefined ? Number.POSITIVE_INFINITY : tagOf(oldest);
    const together: Settled[] = [];
    for (const settled of waiting) {
      if (tagOf(settled.message) < end) together.push(settled);
      else this.#ack(settled.message, [settled]);
    }
    const last = together.reduce<ConsumeMessage | undefined>(
      (greatest, { message }) => (greatest && tagOf(greatest) > tagOf(message) ? greatest : message),
      undefined,
    );
    if (last) this.#ack(last, together);
  }

  #ack(last: ConsumeMessage, settled: readonly Settled[]): void {
    try {
      this.channel.ack(last, settled.length > 1);
    } catch {
      // The channel is closed or about to close: the broker delivers the messages again.
      for (const { message, outcome } of settled) this.lost(message, outcome);
    }
  }
}

function tagOf(message: ConsumeMessage): number {
  return message.fields.deliveryTag;
}
