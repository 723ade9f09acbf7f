import { type Log, messageOf } from "../observe/logging";
import type { Catalogue } from "../schema/catalogue";
import type { QueueSubscription } from "../store/queue-store";
import type { Store } from "../store/store";
import { earliestNow } from "../timing/clock";
import type { Broker } from "./connection";
import { bindOwnQueue, queueDepth } from "./topology";

export interface RestoreOptions {
  readonly broker: Broker;
  readonly store: Pick<Store, "subscriptions" | "replays">;
  readonly catalogue: Catalogue;
  readonly log: Log;
  /** True to bind only queues whose announcement was signed. */
  readonly onlySigned: boolean;
}

/** Retention of removed and missing queues. Longer than an announcement can wait, so that an old one cannot bring a queue back. */
const forgetAfterMs = 8 * 24 * 3_600_000;

/**
 * Binds consumers' own queues to the event types they asked for. Call it before sending events on a new connection. A RabbitMQ that was
 * killed may have lost a binding it had just confirmed, and the queue would miss events. A problem with one queue is logged as a warning
 * and does not block the others. Missing queues that were not announced recently are forgotten.
 */
export async function restoreBindings(closed: AbortSignal, { broker, store, catalogue, log, onlySigned }: RestoreOptions): Promise<void> {
  const filled = await queuesBeingFilled(store);
  const old = earliestNow() - forgetAfterMs;
  await store.subscriptions.forgetRemoved(old);
  const gone: string[] = [];
  const restore = async ({ queue, types, announcedAt, signedAt }: QueueSubscription) => {
    if (closed.aborted || filled.has(queue)) return;
    try {
      if ((await queueDepth(broker, queue)) === undefined) {
        // A missing queue is created and filled when its consumer announces it again.
        if (announcedAt < old) gone.push(queue);
      } else if (signedAt !== null || !onlySigned) await bindOwnQueue(broker, queue, new Set(types), catalogue.resources);
      else log.warn({ queue }, "Did not restore the bindings of a queue: its consumer has sent no signed announcement");
    } catch (error) {
      log.warn({ queue, error: messageOf(error) }, "Cannot restore the bindings of a queue");
    }
  };
  await Promise.all((await store.subscriptions.list()).map(restore));
  if (gone.length > 0) await store.subscriptions.forget(gone);
}

/** Resolves with the queues that are being filled. They are bound at the end of the fill. */
export async function queuesBeingFilled({ replays }: Pick<Store, "replays">): Promise<Set<string>> {
  return new Set((await replays.unfinished()).filter(({ fill }) => fill === 1).map(({ queue }) => queue));
}
