import { join } from "node:path";
import type { Broker } from "../broker/connection";
import { deadQueueOf, queueDepth, queueState } from "../broker/topology";
import { consumerState } from "../store/consumer-state";
import type { Store } from "../store/store";
import { troubleOf } from "./broker-trouble";
import { consumerFiles } from "./embedded-replays";

/** How things stand with a queue. */
export interface QueueState {
  readonly queue: string;
  /** Events that wait to be handled. Null: the queue's consumer has not read this log yet. */
  readonly messages: number | null;
  readonly consumers: number;
  /** Events that wait for their next attempt. Null: only RabbitMQ knows, by a queue for each delay. */
  readonly retries: number | null;
  readonly deadLetters: number;
}

export type AskQueues = () => Promise<QueueState[]>;

/** RabbitMQ writes an error into its log for each look at a queue that is not there, such as that of the first dead letter. */
const lookForMissingEveryMs = 60_000;

/** Asks RabbitMQ; nothing is known while it is away, or takes nothing. */
export function rabbitQueues(broker: Broker, names: () => Promise<readonly string[]>): AskQueues {
  const missing = new Map<string, number>();
  async function unlessMissing<T>(queue: string, look: (broker: Broker, queue: string) => Promise<T | undefined>): Promise<T | undefined> {
    const now = performance.now();
    if (now - (missing.get(queue) ?? Number.NEGATIVE_INFINITY) < lookForMissingEveryMs) return undefined;
    const found = await look(broker, queue);
    if (found === undefined) missing.set(queue, now);
    else missing.delete(queue);
    return found;
  }
  return async () => {
    const states: QueueState[] = [];
    for (const queue of troubleOf(broker) ? [] : await names()) {
      const state = await unlessMissing(queue, queueState);
      if (!state) continue;
      const { messageCount: messages, consumerCount: consumers } = state;
      states.push({ queue, messages, consumers, retries: null, deadLetters: (await unlessMissing(deadQueueOf(queue), queueDepth)) ?? 0 });
    }
    return states;
  };
}

/** Asks the consumers' own files. A consumer that passes over events counts them until it has. */
export function embeddedQueues(store: Pick<Store, "log" | "logId">, consumersDir: string): AskQueues {
  return async () => {
    const end = await store.log.end();
    return consumerFiles(consumersDir).map((queue) => {
      const { position, waiting, dead, running } = consumerState(join(consumersDir, `${queue}.db`), store.logId);
      const messages = position === null ? null : Math.max(0, end - position);
      return { queue, messages, consumers: running ? 1 : 0, retries: waiting, deadLetters: dead };
    });
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
