import { join } from "node:path";
import { consumerFiles } from "../embedded/replays";
import type { Broker } from "../rabbitmq/connection";
import { deadQueueOf, isRefusal, queueDepth, queueState, retryQueueOf } from "../rabbitmq/topology";
import { troubleOf } from "../rabbitmq/unreachable";
import type { Catalogue } from "../schema/catalogue";
import { consumerState } from "../store/consumer/state";
import type { RetryQueue } from "../store/queue-store";
import { whenUnlocked } from "../store/sqlite/lock-wait";
import type { Store } from "../store/store";

/** How things stand with a queue. */
export interface QueueState {
  readonly queue: string;
  /** Events that wait to be handled. Null: the queue's consumer has not read this log yet. */
  readonly messages: number | null;
  readonly consumers: number;
  /** Events that wait for their next attempt. */
  readonly retries: number;
  readonly deadLetters: number;
  /**
   * When the change was made whose event waits longest. Null: none waits, or RabbitMQ has it, where to look at a message is
   * to take it: it would come to the consumer as one on which a process may have died.
   */
  readonly oldestAt: string | null;
}

export type AskQueues = () => Promise<QueueState[]>;

/** A durable queue, and the delays of its queues for retries. */
export interface KnownQueue {
  readonly queue: string;
  readonly retryDelaysMs: readonly number[];
}

/** The queues that consumers may work on. RabbitMQ has no list of queues to ask for. @param own those that consumers have announced. */
export function knownQueues(catalogue: Catalogue, own: readonly string[], retryQueues: readonly RetryQueue[]): KnownQueue[] {
  return [...catalogue.resources.map(({ queue }) => queue), ...own].map((queue) => ({
    queue,
    retryDelaysMs: retryQueues.filter((retry) => retry.queue === queue).map(({ delayMs }) => delayMs),
  }));
}

/** RabbitMQ writes an error into its log for each look at a queue that is not there, such as that of the first dead letter. */
const lookForMissingEveryMs = 60_000;

/** Asks RabbitMQ; nothing is known while it is away, or takes nothing. */
export function rabbitQueues(broker: Broker, known: () => Promise<readonly KnownQueue[]>): AskQueues {
  const missing = new Map<string, number>();
  async function unlessMissing<T>(queue: string, look: (broker: Broker, queue: string) => Promise<T | undefined>): Promise<T | undefined> {
    const now = performance.now();
    if (now - (missing.get(queue) ?? Number.NEGATIVE_INFINITY) < lookForMissingEveryMs) return undefined;
    const found = await look(broker, queue).catch((error: unknown) => {
      // One that RabbitMQ keeps from us hides no other.
      if (!isRefusal(error)) throw error;
      return undefined;
    });
    if (found === undefined) missing.set(queue, now);
    else missing.delete(queue);
    return found;
  }
  const depth = async (queue: string) => (await unlessMissing(queue, queueDepth)) ?? 0;
  return async () => {
    const states: QueueState[] = [];
    for (const { queue, retryDelaysMs } of troubleOf(broker) ? [] : await known()) {
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

/** Asks the consumers' own files. A consumer that passes over events counts them until it has. */
export function embeddedQueues(store: Pick<Store, "log" | "logId">, consumersDir: string): AskQueues {
  return async () => {
    const end = await store.log.end();
    const states: QueueState[] = [];
    for (const queue of consumerFiles(consumersDir)) {
      const { position, waiting, dead, running } = await whenUnlocked(() => consumerState(join(consumersDir, `${queue}.db`), store.logId));
      const messages = position === null ? null : Math.max(0, end - position);
      const [oldest] = position !== null && messages ? await store.log.read(position, 1) : [];
      const oldestAt = oldest?.timestamp ?? null;
      states.push({ queue, messages, consumers: running ? 1 : 0, retries: waiting, deadLetters: dead, oldestAt });
    }
    return states;
  };
}

/** However often somebody wants to know, the queues are asked no sooner than this. */
const askEveryMs = 5000;
/** Older answers are none. */
const staleAfterMs = 60_000;

/** The latest answers about the queues. One question at a time, however slow the answers are. */
export class QueueStates {
  #states: readonly QueueState[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(readonly ask: AskQueues) {}

  get latest(): readonly QueueState[] {
    return performance.now() - this.#answeredAt < staleAfterMs ? this.#states : [];
  }

  /** Asks anew, if the last time is long enough ago. Rejects when the question fails. */
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
