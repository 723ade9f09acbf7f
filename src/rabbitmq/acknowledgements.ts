import type { Outcome } from "../delivery/outcome";
import type { ConfirmChannel, ConsumeMessage } from "./connection";

interface Settled {
  readonly message: ConsumeMessage;
  readonly outcome: Outcome;
}

/**
 * Acknowledges together what is settled in one go: one frame for all the messages before the oldest unsettled one. A
 * frame for each, with its write to the socket, took half of a consumer's time.
 */
export class Acknowledgements {
  #waiting: Settled[] = [];

  /**
   * @param unsettled what the channel has delivered and nobody has settled, the oldest first.
   * @param lost told of what was settled, but could not be acknowledged any more.
   */
  constructor(
    readonly channel: Pick<ConfirmChannel, "ack">,
    readonly unsettled: ReadonlySet<ConsumeMessage>,
    readonly lost: (message: ConsumeMessage, outcome: Outcome) => void,
  ) {}

  /** Acknowledges a message that is not among the unsettled ones any more. */
  add(message: ConsumeMessage, outcome: Outcome): void {
    // Costs no time: amqplib itself keeps a frame until the event loop's next turn.
    if (this.#waiting.push({ message, outcome }) === 1) process.nextTick(() => this.flush());
  }

  /** Hands to the channel what waits for the end of this go. Never throws. */
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
      // The channel is closed, or about to be: the broker delivers them again.
      for (const { message, outcome } of settled) this.lost(message, outcome);
    }
  }
}

function tagOf(message: ConsumeMessage): number {
  return message.fields.deliveryTag;
}
