import { messageOf } from "../observe/logging";
import type { Leadership } from "../store/leadership";
import type { Store } from "../store/store";
import { Signal } from "../timing/signal";
import { Conversion, type ConversionOptions, queueTypeOf } from "./conversion";
import { convertingQueueOf, deadQueueOf, declareConvertingQueue, queueDepth, queueState } from "./topology";

export interface ConversionsOptions extends ConversionOptions {
  readonly store: Pick<Store, "subscriptions" | "replays">;
}

/** Interval at which a conversion that has to wait is tried again, in milliseconds. */
const tryAgainMs = 1000;

/** Conversions of classic queues to quorum queues. The leader of `relay` makes them, since they pause the relay. */
export class Conversions {
  /** Queues to convert, and why each one waits. */
  readonly #pending = new Map<string, string | undefined>();
  readonly #wake = new Signal();

  constructor(readonly options: ConversionsOptions) {}

  /** A sentence for each conversion that has to wait. */
  get problems(): string[] {
    return [...this.#pending].flatMap(([queue, why]) =>
      why === undefined ? [] : [`The conversion of "${queue}" to a quorum queue waits: ${why}.`],
    );
  }

  /** Begins to convert a queue and its dead-letter queue. Resolves with why it is refused, or with undefined. */
  async begin(queue: string): Promise<string | undefined> {
    const { broker, log } = this.options;
    const refusal = await this.#refusal(queue);
    if (refusal !== undefined) return refusal;
    for (const each of [queue, deadQueueOf(queue)]) {
      if ((await queueTypeOf(broker, each)) !== "classic" || this.#pending.has(each)) continue;
      // From now on, the next leader continues it.
      await declareConvertingQueue(broker, each, log);
      log.info({ queue: each }, "Converting a queue to a quorum queue");
      this.#pending.set(each, undefined);
    }
    this.#wake.raise();
    return undefined;
  }

  /** Resolves with whether the conversion of a queue is unfinished. */
  async isConverting(queue: string): Promise<boolean> {
    const { broker } = this.options;
    return broker.queueType === "quorum" && (await queueDepth(broker, convertingQueueOf(queue))) !== undefined;
  }

  /** Forgets a queue that was removed. */
  abandon(queue: string): void {
    for (const each of [queue, deadQueueOf(queue)]) this.#pending.delete(each);
  }

  /**
   * Finds the conversions that an earlier leader has left, and finishes those whose queue is empty because its messages are elsewhere. Call it
   * before anything is relayed, since later events would come first.
   */
  async resume(leadership: Leadership): Promise<void> {
    const { broker, catalogue, store } = this.options;
    if (broker.queueType !== "quorum") return;
    const own = (await store.subscriptions.list()).filter(({ types }) => types.length > 0).map(({ queue }) => queue);
    for (const queue of catalogue.queuesWith(own).flatMap((name) => [name, deadQueueOf(name)])) {
      if (!(await this.isConverting(queue))) continue;
      this.#pending.set(queue, undefined);
      if ((await queueTypeOf(broker, queue)) === "classic") continue;
      const why = await new Conversion(this.options, queue).finish(leadership);
      if (why === undefined) this.#pending.delete(queue);
    }
  }

  /** Makes the pending conversions, and those that begin later, until the leadership ends. */
  async run(leadership: Leadership): Promise<void> {
    leadership.until.addEventListener("abort", () => this.#wake.raise(), { once: true });
    while (leadership.holds()) {
      for (const queue of [...this.#pending.keys()]) await this.#convert(queue, leadership);
      await this.#wake.wait(this.#pending.size > 0 ? tryAgainMs : undefined);
    }
  }

  async #convert(queue: string, leadership: Leadership): Promise<void> {
    const { log } = this.options;
    let why: string | undefined;
    try {
      // Another process may have finished it meanwhile.
      if (await this.isConverting(queue)) why = await new Conversion(this.options, queue).run(leadership);
    } catch (error) {
      why = messageOf(error);
    }
    if (!this.#pending.has(queue)) return;
    if (why === undefined) {
      this.#pending.delete(queue);
      return;
    }
    if (why !== this.#pending.get(queue)) log.warn({ queue, why }, "The conversion of a queue waits");
    this.#pending.set(queue, why);
  }

  async #refusal(queue: string): Promise<string | undefined> {
    const { broker, catalogue, store } = this.options;
    if (broker.queueType !== "quorum") return "the API does not declare quorum queues: restart it with QUEUE_TYPE=quorum";
    const isKnown = catalogue.ownerOf(queue) !== undefined || ((await store.subscriptions.find(queue))?.types.length ?? 0) > 0;
    const state = isKnown ? await queueState(broker, queue) : undefined;
    if (!state) return "there is no such queue";
    if ((await store.replays.unfinished()).some((replay) => replay.queue === queue)) return "a replay or a fill of the queue is unfinished";
    const type = await queueTypeOf(broker, queue);
    if (type !== "classic" && type !== "quorum") return `it is a ${type} queue`;
    return type === "classic" && state.consumerCount > 0 ? "it has a consumer: stop all of them" : undefined;
  }
}
