import type { Consumer } from "../delivery/consumer-options";
import type { Delivery } from "../delivery/delivery";
import type { Outcome } from "../delivery/outcome";
import type { MessageOrigin } from "../observe/tracing";
import type { ReplayMark } from "../store/replay";
import type { ConsumeMessage } from "./connection";
import { encodingOf, failuresOf, isRedriven, originOf, replayMarkOf } from "./message-headers";

/** The subscription that a message came from. */
export interface Source {
  readonly consumer: Pick<Consumer, "queue" | "temporary">;
  /** Aborts when the channel closes. The broker then redelivers every unsettled message. */
  readonly closed: AbortSignal;
  settle(message: ConsumeMessage, outcome: Outcome): Promise<void>;
}

/** A message from a RabbitMQ queue, in the form that the worker takes. */
export class MessageDelivery implements Delivery {
  readonly failures: number;
  readonly replay: ReplayMark;
  readonly again: boolean;
  readonly #arrivedAt = performance.now();

  constructor(
    readonly message: ConsumeMessage,
    readonly suspect: boolean,
    readonly source: Source,
  ) {
    this.failures = failuresOf(message);
    this.replay = replayMarkOf(message);
    this.again = isRedriven(message);
  }

  get body(): Uint8Array {
    return this.message.content;
  }

  get encoding(): string | undefined {
    return encodingOf(this.message);
  }

  get gone(): boolean {
    return this.source.closed.aborted;
  }

  get origin(): MessageOrigin {
    return originOf(this.message, this.source.consumer);
  }

  /** How long this process has had the message, in milliseconds. */
  get heldMs(): number {
    return performance.now() - this.#arrivedAt;
  }

  settle(outcome: Outcome): Promise<void> {
    return this.source.settle(this.message, outcome);
  }
}
