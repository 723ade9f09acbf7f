import type { Log } from "../observe/logging";
import { pause } from "../timing/pause";
import type { Broker } from "./connection";
import { queueState } from "./topology";

/** Interval at which the other consumers of the queue are counted, in milliseconds. */
const countEveryMs = 60_000;
const lookAgainMs = 100;
/** Erlang nodes notice that another one is frozen or cut off after 45 to 75 s, unless `net_ticktime` is changed. */
const longestWaitMs = 90_000;
/** Time after which an empty queue is believed to be empty. One that has no leader yet seems to be, too. */
const longestWithoutLeaderMs = 30_000;
const sayAfterMs = 1_000;

/**
 * The subscription that a consumer has lost. RabbitMQ may notice the loss later than the consumer, most of all in a cluster, where another
 * node has to notice it. Until then, the events that the consumer held are not delivered again, but later ones are. So a new subscription
 * waits until the former one has ended.
 */
export class FormerSubscription {
  /** Number of other consumers of the queue. Undefined before the first subscription. */
  #others: number | undefined;
  #heldEvents = false;

  constructor(
    readonly broker: Pick<Broker, "withChannel">,
    readonly queue: string,
    readonly log: Log,
  ) {}

  /**
   * Counts the other consumers now and at intervals, until `closed` aborts.
   *
   * @param isSubscribed Returns whether RabbitMQ counts this consumer.
   */
  async count(isSubscribed: () => boolean, closed: AbortSignal): Promise<void> {
    while (!closed.aborted) {
      const state = await queueState(this.broker, this.queue).catch(() => undefined);
      if (state && !closed.aborted) this.#others = Math.max(0, state.consumerCount - (isSubscribed() ? 1 : 0));
      await pause(countEveryMs, closed);
    }
  }

  /** Notes that the subscription was lost, and whether it held events. */
  lost(heldEvents: boolean): void {
    this.#heldEvents = heldEvents;
  }

  /** Notes that there is nothing to wait for, since the queue was deleted. */
  forget(): void {
    this.#others = undefined;
  }

  /** Waits until RabbitMQ has taken back what the former subscription held, for 90 s at most. Resolves early if `closed` aborts. */
  async ended(isQuorum: boolean, closed: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    for (let isSaid = false; !closed.aborted && this.#others !== undefined; await pause(lookAgainMs, closed)) {
      const waitedMs = performance.now() - startedAt;
      const { consumerCount = 0, messageCount = 0 } = (await queueState(this.broker, this.queue)) ?? {};
      const seemsEmpty = isQuorum && this.#heldEvents && this.#others === 0 && messageCount === 0 && waitedMs < longestWithoutLeaderMs;
      if ((consumerCount <= this.#others && !seemsEmpty) || waitedMs >= longestWaitMs) return;
      if (isSaid || waitedMs < sayAfterMs) continue;
      isSaid = true;
      const { queue } = this;
      this.log.info({ queue }, "Waiting until RabbitMQ has noticed that the former connection is lost, so that events stay in order");
    }
  }
}
