import { type Log, messageOf } from "../observe/logging";
import type { Catalogue } from "../schema/catalogue";
import type { Leadership } from "../store/leadership";
import type { Store } from "../store/store";
import { pause } from "../timing/pause";
import type { Broker } from "./connection";
import { QueueTaken } from "./dead-queue-reader";
import { deleteUnused } from "./declare-queue";
import { copyForeignBindings, moveBindings } from "./foreign-bindings";
import { moveAllMessages, moveMessages } from "./move-messages";
import { queueFacts } from "./queue-facts";
import type { QueueInspector } from "./queue-inspection";
import type { Relay } from "./relay";
import {
  bindOwnQueue,
  convertingQueueOf,
  deadQueueOf,
  declareConvertingQueue,
  declareDeadQueue,
  declareDurableQueue,
  declareResources,
  deleteQueue,
  queueDepth,
} from "./topology";

export interface ConversionOptions {
  readonly broker: Broker;
  readonly inspector: Pick<QueueInspector, "management">;
  readonly relay: Pick<Relay, "whilePaused">;
  readonly store: Pick<Store, "subscriptions">;
  readonly catalogue: Catalogue;
  readonly log: Log;
  /** Called after a queue was converted. */
  readonly onConverted: () => void;
}

/** Number of remaining messages below which the relay is paused to move them. */
const nearlyThere = 2000;
const tryAgainMs = 1000;
const [deleteTries, deleteAgainMs] = [5, 100];
/** Why a conversion waits if this process may not continue it. */
const unfinished = "the connection was lost, or another process continues it";

/** Type of a queue. Undefined if the queue does not exist. */
export async function queueTypeOf(broker: Broker, queue: string): Promise<string | undefined> {
  const facts = await queueFacts(broker, queue);
  if (facts?.isDown) throw new Error(`the node of "${queue}" is down`);
  return facts && String(facts.arguments["x-queue-type"] ?? "classic");
}

/**
 * The replacement of a classic queue by a quorum queue of the same name. Its messages wait in `<queue>.converting` meanwhile, which also
 * shows that the conversion is unfinished. It can be interrupted at any point, and continued by any process: until the classic queue is
 * deleted, its older messages are in the other one, and afterwards all of them.
 */
export class Conversion {
  readonly #transit: string;

  /** @param queue queue of a consumer or a resource, or the dead-letter queue of one. */
  constructor(
    readonly options: ConversionOptions,
    readonly queue: string,
  ) {
    this.#transit = convertingQueueOf(queue);
  }

  /** Resolves with undefined when the queue is converted, or with why that has to wait. */
  async run(leadership: Leadership): Promise<string | undefined> {
    const { broker, relay, log } = this.options;
    await declareConvertingQueue(broker, this.queue, log);
    // Each pass moves what was there at its beginning. If new events come about as fast, only a pause helps.
    const busy = await this.#drain(leadership, (depth, before) => depth <= nearlyThere || depth > before / 2);
    if (busy !== undefined) return busy;
    let waitsFor: string | undefined = unfinished;
    const convert = async () => {
      waitsFor =
        (await this.#drain(leadership, (depth) => depth === 0)) ??
        (await this.#delete(leadership)) ??
        (await this.#finishSurely(leadership));
    };
    // Nothing in the log is sent to a dead-letter queue.
    if (this.queue.endsWith(deadQueueOf(""))) await convert();
    else await relay.whilePaused(convert, leadership.until);
    return waitsFor;
  }

  /** Tries to finish until that works, so that the relay, which is paused, sends nothing before. */
  async #finishSurely(leadership: Leadership): Promise<string | undefined> {
    const { queue } = this;
    while (leadership.holds()) {
      try {
        return await this.finish(leadership);
      } catch (error) {
        this.options.log.warn({ queue, error: messageOf(error) }, "Cannot move events back to a queue that is being converted; retrying");
        await pause(tryAgainMs, leadership.until);
      }
    }
    return unfinished;
  }

  /**
   * Declares the queue, moves its messages back, and deletes the queue they were in. Call it when the classic queue is gone and nothing is
   * relayed. Resolves as {@link run} does.
   */
  async finish({ until, holds }: Leadership): Promise<string | undefined> {
    const { broker, inspector, log, onConverted } = this.options;
    await this.#declare();
    const type = await queueTypeOf(broker, this.queue);
    if (type !== "quorum") return `another program has declared it as a ${type} queue`;
    if (inspector.management) await moveBindings(broker, inspector.management, this.#transit, this.queue);
    await moveAllMessages(broker, this.#transit, this.queue, until);
    if (!holds()) return unfinished;
    await deleteQueue(broker, this.#transit);
    log.info({ queue: this.queue }, "Converted a queue to a quorum queue");
    onConverted();
    return undefined;
  }

  /**
   * Moves messages out of the classic queue, pass by pass. Resolves with why that has to wait, or with undefined.
   *
   * @param isEnough Returns whether the number of messages left is low enough, compared with the number before the last pass.
   */
  async #drain({ until }: Leadership, isEnough: (depth: number, before: number) => boolean): Promise<string | undefined> {
    const { broker } = this.options;
    if ((await queueTypeOf(broker, this.queue)) !== "classic") return undefined;
    for (let before = Number.POSITIVE_INFINITY; !until.aborted; ) {
      const depth = (await queueDepth(broker, this.queue)) ?? 0;
      if (isEnough(depth, before)) return undefined;
      try {
        await moveMessages(broker, this.queue, this.#transit, until);
      } catch (error) {
        if (!(error instanceof QueueTaken)) throw error;
        return "it has a consumer: stop all of them";
      }
      before = depth;
    }
    return unfinished;
  }

  /** Deletes the classic queue, provided that it is empty and nobody holds messages of it. */
  async #delete({ holds, until }: Leadership): Promise<string | undefined> {
    const { broker, inspector, catalogue } = this.options;
    if ((await queueTypeOf(broker, this.queue)) !== "classic") return undefined;
    const { management } = inspector;
    if (management) {
      const unsettled = await management.unsettled(this.queue);
      if (unsettled > 0) return `a consumer holds ${unsettled} of its events: stop all of them`;
      await copyForeignBindings(broker, management, this.queue, this.#transit, catalogue.resources);
    }
    if (!holds()) return unfinished;
    // RabbitMQ may still count the consumer that moved the messages.
    for (let tries = 0; tries < deleteTries; tries += 1) {
      if (await deleteUnused(broker, this.queue)) return undefined;
      await pause(deleteAgainMs, until);
    }
    return "it has a consumer, or a program sends to it";
  }

  async #declare(): Promise<void> {
    const { broker, catalogue, store, log } = this.options;
    const { queue } = this;
    const dead = deadQueueOf("");
    if (queue.endsWith(dead)) {
      await declareDeadQueue(broker, queue.slice(0, -dead.length), log);
      return;
    }
    const owner = catalogue.ownerOf(queue);
    if (owner) return declareResources(broker, [owner], log);
    await declareDurableQueue(broker, queue, log);
    const known = await store.subscriptions.find(queue);
    await bindOwnQueue(broker, queue, new Set(known?.types), catalogue.resources);
  }
}
