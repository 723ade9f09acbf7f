import { QueueUnavailable } from "../delivery/queue-errors";
import type { Broker } from "../rabbitmq/connection";
import { MissingQueues } from "../rabbitmq/missing-queues";
import { isAccessDenied } from "../rabbitmq/reply-code";
import { deadQueueOf, queueDepth, queueState, retryQueueOf } from "../rabbitmq/topology";
import { whyUnavailable } from "../rabbitmq/unavailable";
import type { Catalogue } from "../schema/catalogue";
import type { ConsumerStores } from "../store/consumer/stores";
import type { RetryQueue } from "../store/queue-store";
import type { Store } from "../store/store";

/** State of a queue. */
export interface QueueState {
  readonly queue: string;
  /** Number of events that wait to be handled. Null if the queue's consumer has not read this log yet. */
  readonly messages: number | null;
  /** Number of active consumers. */
  readonly consumers: number;
  /** Number of events that wait for their next attempt. */
  readonly retries: number;
  readonly deadLetters: number;
  /**
   * Time of the change whose event waits longest. Null if none waits, and always on RabbitMQ: looking at a message there
   * takes it, and the consumer would get it as one on which a process may have died.
   */
  readonly oldestAt: string | null;
}

export type AskQueues = () => Promise<QueueState[]>;

/** A durable queue, and the delays of its retry queues. */
export interface KnownQueue {
  readonly queue: string;
  readonly retryDelaysMs: readonly number[];
}

/**
 * Returns the queues that consumers may use. RabbitMQ cannot list its queues over AMQP.
 *
 * @param own queues that consumers have announced.
 */
export function knownQueues(catalogue: Catalogue, own: readonly string[], retryQueues: readonly RetryQueue[]): KnownQueue[] {
  return catalogue.queuesWith(own).map((queue) => ({
    queue,
    retryDelaysMs: retryQueues.filter((retry) => retry.queue === queue).map(({ delayMs }) => delayMs),
  }));
}

/** Interval between checks of a missing queue, such as a dead-letter queue before its first dead letter, in milliseconds. */
const lookForMissingEveryMs = 60_000;

/** Returns a function that asks RabbitMQ. It returns no queues while RabbitMQ is unreachable or blocked. */
export function rabbitQueues(broker: Broker, known: () => Promise<readonly KnownQueue[]>): AskQueues {
  const missing = new MissingQueues(lookForMissingEveryMs);
  const unlessMissing = <T>(queue: string, look: (broker: Broker, queue: string) => Promise<T | undefined>) =>
    missing
      .find(queue, () =>
        look(broker, queue).catch((error: unknown) => {
          // A queue to which RabbitMQ denies access must not hide the others.
          if (!isAccessDenied(error)) throw error;
          return undefined;
        }),
      )
      .catch((error: unknown) => {
        // Nor must one whose node is down.
        if (!(error instanceof QueueUnavailable)) throw error;
        return undefined;
      });
  const depth = async (queue: string) => (await unlessMissing(queue, queueDepth)) ?? 0;
  return async () => {
    const states: QueueState[] = [];
    for (const { queue, retryDelaysMs } of whyUnavailable(broker) ? [] : await known()) {
      const state = await unlessMissing(queue, queueState);
      if (!state) continue;
      const { messageCount: messages, consumerCount: consumers } = state;
      let retries = 0;
      for (const delayMs of retryDelaysMs) retries += await depth(retryQueueOf(queue, delayMs));
      states.push({ queue, messages, consumers, retries, deadLetters: await depth(deadQueueOf(queue)), oldestAt: null });
    }
    return states;
  };
}

/**
 * Returns a function that reads the consumers' own stores. Events that a consumer will skip count until it has skipped them.
 *
 * @param store undefined: there is no event log yet, and so the number of messages is unknown.
 */
export function embeddedQueues(store: Pick<Store, "log" | "logId"> | undefined, consumers: ConsumerStores): AskQueues {
  return async () => {
    const end = (await store?.log.end()) ?? 0;
    const logId = store?.logId ?? "";
    const states: QueueState[] = [];
    for (const queue of await consumers.queues()) {
      const { position, waiting, dead, processes } = await consumers.state(queue, logId);
      const messages = position === null ? null : Math.max(0, end - position);
      const [oldest] = store && position !== null && messages ? await store.log.read(position, 1) : [];
      const oldestAt = oldest?.timestamp ?? null;
      states.push({ queue, messages, consumers: processes, retries: waiting, deadLetters: dead, oldestAt });
    }
    return states;
  };
}

/** Minimum interval between two queries, in milliseconds. */
const askEveryMs = 5000;
/** Age from which results are ignored, in milliseconds. */
const staleAfterMs = 60_000;

/** The latest states of the queues. Runs one query at a time, however slow it is. */
export class QueueStates {
  #states: readonly QueueState[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(readonly ask: AskQueues) {}

  get latest(): readonly QueueState[] {
    return performance.now() - this.#answeredAt < staleAfterMs ? this.#states : [];
  }

  /** Queries the queues if the last query began long enough ago. Rejects if the query fails. */
  async refresh(): Promise<void> {
    if (!this.#asking && performance.now() - this.#askedAt < askEveryMs) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(): Promise<void> {
    this.#askedAt = performance.now();
    this.#states = await this.ask();
    this.#answeredAt = performance.now();
  }
}
