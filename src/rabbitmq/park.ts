import type { Consumer } from "../delivery/consumer-options";
import { describeError, type Failure } from "../delivery/outcome";
import { messageOf } from "../observe/logging";
import { traceField } from "../observe/traceparent";
import { now } from "../timing/clock";
import { pause } from "../timing/pause";
import type { Message } from "./connection";
import { copiesOf } from "./copies";
import { originOf } from "./message-headers";
import { type PublishChannel, Publisher, Unroutable, Unsendable } from "./publisher";
import type { Suspects } from "./suspects";

/** Destinations for the messages of a queue that failed. */
export interface Parking {
  /** Declares the queue where a message waits `delayMs`, and resolves with its name. */
  retryQueue(delayMs: number): Promise<string>;
  /** Declares the dead-letter queue, and resolves with its name. */
  deadQueue(): Promise<string>;
  /** Runs `use` on a confirm channel of its own. */
  onNewChannel(use: (channel: PublishChannel) => Promise<void>): Promise<void>;
  /** Forgets which queues were declared, since one of them may be gone. */
  forget(): void;
  /** Writes a message to its own file, and returns the path. */
  quarantine(message: Message, outcome: Failure, why: string): string;
  /** How long RabbitMQ may refuse copies, in milliseconds, before they go elsewhere. */
  readonly patienceMs: number;
}

const longestPauseMs = 5000;

/**
 * Moves failed messages off their queue, so that none of them blocks the others. It tries, in this order: a complete copy, copies with
 * fewer details, and a local file. The file is used once RabbitMQ has closed the channel twice over a copy of the same message, or has
 * refused all copies for a while. A refused retry becomes a dead letter first.
 */
export class Parker {
  /** Time of the first refusal for each kind of copy, as returned by `performance.now()`. */
  readonly #refusedSince = new Map<Failure["action"], number>();

  /**
   * @param closed Aborts when the channel closes, with the error as its reason.
   * @param suspects Shared across channels.
   */
  constructor(
    readonly publisher: Publisher,
    readonly closed: AbortSignal,
    readonly parking: Parking,
    readonly suspects: Suspects,
    readonly consumer: Pick<Consumer, "queue" | "temporary" | "log">,
  ) {}

  /** Resolves with true if the message may be acknowledged, with false if the channel closed first. */
  async park(message: Message, failure: Failure): Promise<boolean> {
    const { parking, closed } = this;
    let outcome = failure;
    let hopeless = this.suspects.isGuilty(message) ? "RabbitMQ closed the channel twice because of a copy of this message" : undefined;
    for (let pauseMs = 100; !closed.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      // A temporary queue has no dead-letter queue, since none would outlive it. The event itself is still in the log.
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
          "Cannot move a failed event; it stays unacknowledged. Retrying",
        );
        await pause(pauseMs, closed);
      }
    }
    return false;
  }

  async #copy(message: Message, outcome: Failure): Promise<void> {
    const { parking, publisher, closed, suspects } = this;
    const target = outcome.action === "retry" ? await parking.retryQueue(outcome.delayMs) : await parking.deadQueue();
    const send = (by: Publisher) => by.publishFirst(copiesOf(message, target, this.consumer.queue, outcome, new Date(now()), by.frameMax));
    try {
      await suspects.send(message, closed, () => send(publisher));
    } catch (error) {
      if (closed.aborted || error instanceof Unroutable || error instanceof Unsendable) throw error;
      // A channel can be refused for good by a quorum queue that had no leader at its first message.
      await parking.onNewChannel((channel) => send(new Publisher(channel)));
    }
    this.#refusedSince.delete(outcome.action);
  }

  #quarantine(message: Message, outcome: Failure, why: string): void {
    const file = this.parking.quarantine(message, outcome, why);
    this.consumer.log.error({ ...this.#about(message), file, error: why }, "No queue accepts this message; keeping it in a file");
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

/** Turns a retry that no queue accepts into a dead letter. */
function withoutRetry({ attempts, error }: Failure, why: string): Failure {
  const said = `${describeError(error).message} (not retried, because no queue accepts the event until then: ${why})`;
  return { action: "dead-letter", reason: "attempts-exhausted", attempts, error: said };
}
