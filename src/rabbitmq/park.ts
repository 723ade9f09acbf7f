import type { Consumer } from "../delivery/consumer-options";
import { describeError, type Failure } from "../delivery/outcome";
import { messageOf } from "../observe/logging";
import { traceField } from "../observe/traceparent";
import { aborted } from "./channel";
import type { Message } from "./connection";
import { copiesOf } from "./copies";
import { originOf } from "./failed-copy";
import type { Publisher } from "./publisher";
import type { Suspects } from "./suspects";

/** Where the messages of a queue go that are not acknowledged as handled. */
export interface Parking {
  /** Declares the queue where a message waits for so long, and resolves with its name. */
  retryQueue(delayMs: number): Promise<string>;
  /** Declares the queue for dead letters, and resolves with its name. */
  deadQueue(): Promise<string>;
  /** Forgets which queues were declared: one of them may not be there any more. */
  forget(): void;
  /** Writes a message to a file of its own, and returns the path. */
  quarantine(message: Message, outcome: Failure, why: string): string;
  /** How long RabbitMQ may refuse copies before they go elsewhere. */
  readonly patienceMs: number;
}

const longestPauseMs = 5000;

/**
 * Moves messages off their queue, so that none of them holds up the others. The steps, until one of them works: a copy with
 * everything, copies that say less, and a local file. The file comes as soon as RabbitMQ has closed the channel twice over
 * a copy of the same message, or when it has refused all copies for a while. A retry becomes a dead letter before that.
 */
export class Parker {
  /** Since when each kind of copy is refused, in the time of `performance.now()`. */
  readonly #refusedSince = new Map<Failure["action"], number>();

  /**
   * @param closed aborts with the channel, with the error as its reason.
   * @param suspects outlives the channel.
   */
  constructor(
    readonly publisher: Publisher,
    readonly closed: AbortSignal,
    readonly parking: Parking,
    readonly suspects: Suspects,
    readonly consumer: Pick<Consumer, "queue" | "temporary" | "log">,
  ) {}

  /** Resolves with true when the message may be acknowledged, with false when the channel closed before that. */
  async park(message: Message, failure: Failure): Promise<boolean> {
    const { parking, closed } = this;
    let outcome = failure;
    let hopeless = this.suspects.isGuilty(message) ? "RabbitMQ closed the channel twice over a copy of this message" : undefined;
    for (let pauseMs = 100; !closed.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      // A temporary queue has no place of its own that outlives it; the event itself is still in the log.
      if (this.consumer.temporary && outcome.action === "dead-letter") return true;
      try {
        if (hopeless === undefined) await this.#copy(message, outcome);
        else this.#quarantine(message, outcome, hopeless);
        return true;
      } catch (error) {
        if (closed.aborted) break;
        parking.forget();
        const why = messageOf(error);
        if (hopeless === undefined && this.#isOutOfPatience(outcome)) {
          if (outcome.action === "dead-letter") hopeless = why;
          else outcome = withoutRetry(outcome, why);
          continue;
        }
        this.consumer.log.error(
          { ...this.#about(message), error: why, pauseMs },
          "A failed event could not be moved; it stays unacknowledged and this is tried again",
        );
        await Promise.race([Bun.sleep(pauseMs), aborted(closed)]);
      }
    }
    return false;
  }

  async #copy(message: Message, outcome: Failure): Promise<void> {
    const { parking, publisher, closed, suspects } = this;
    const target = outcome.action === "retry" ? await parking.retryQueue(outcome.delayMs) : await parking.deadQueue();
    const copies = copiesOf(message, target, this.consumer.queue, outcome, new Date(), publisher.frameMax);
    await suspects.send(message, closed, () => publisher.publishFirst(copies));
    this.#refusedSince.delete(outcome.action);
  }

  #quarantine(message: Message, outcome: Failure, why: string): void {
    const file = this.parking.quarantine(message, outcome, why);
    this.consumer.log.error({ ...this.#about(message), file, error: why }, "No queue takes this message; it is kept in a file");
  }

  #isOutOfPatience({ action }: Failure): boolean {
    const now = performance.now();
    const since = this.#refusedSince.get(action) ?? now;
    this.#refusedSince.set(action, since);
    return now - since >= this.parking.patienceMs;
  }

  #about(message: Message) {
    const { queue, temporary } = this.consumer;
    const { id, traceparent } = originOf(message, { queue, temporary });
    return { queue, event: id, ...traceField(traceparent) };
  }
}

/** An event that no queue takes for its next attempt is given up. */
function withoutRetry({ attempts, error }: Failure, why: string): Failure {
  const said = `${describeError(error).message} (not tried again, as no queue takes the event until then: ${why})`;
  return { action: "dead-letter", reason: "attempts-exhausted", attempts, error: said };
}
