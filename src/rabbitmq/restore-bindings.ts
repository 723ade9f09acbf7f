import { type Log, messageOf } from "../observe/logging";
import type { Catalogue } from "../schema/catalogue";
import type { QueueSubscription } from "../store/queue-store";
import type { Store } from "../store/store";
import { earliestNow } from "../timing/steady-time";
import type { Broker } from "./connection";
import { bindOwnQueue, queueDepth } from "./topology";

export interface RestoreOptions {
  readonly broker: Broker;
  readonly store: Pick<Store, "subscriptions" | "replays">;
  readonly catalogue: Catalogue;
  readonly log: Log;
  /** Whether only what was announced with a signature is bound. */
  readonly onlySigned: boolean;
}

/** Longer than an announcement can wait to be read: what is forgotten after that does not come back by an old one. */
const forgetAfterMs = 8 * 24 * 3_600_000;

/**
 * Binds consumers' own queues to what they have asked for. To be called before events are sent over a new connection: a
 * RabbitMQ that was killed may have forgotten a binding that it confirmed a moment before, and what it has no binding for
 * would not reach that queue. Trouble with one queue is a warning, and holds up no other. A queue that was not announced for a
 * while and is gone is forgotten.
 */
export async function restoreBindings(closed: AbortSignal, { broker, store, catalogue, log, onlySigned }: RestoreOptions): Promise<void> {
  const filled = new Set((await store.replays.unfinished()).filter(({ fill }) => fill === 1).map(({ queue }) => queue));
  const old = earliestNow() - forgetAfterMs;
  await store.subscriptions.forgetRemoved(old);
  const gone: string[] = [];
  const restore = async ({ queue, types, announcedAt, signedAt }: QueueSubscription) => {
    // One that is filled is bound at the end of that.
    if (closed.aborted || filled.has(queue)) return;
    try {
      if ((await queueDepth(broker, queue)) === undefined) {
        // One that is gone is made and filled when its consumer asks for it again.
        if (announcedAt < old) gone.push(queue);
      } else if (signedAt !== null || !onlySigned) await bindOwnQueue(broker, queue, new Set(types), catalogue.resources);
      else log.warn({ queue }, "The bindings of a queue were not restored: its consumer has not announced it with a signature");
    } catch (error) {
      log.warn({ queue, error: messageOf(error) }, "The bindings of a queue could not be restored");
    }
  };
  await Promise.all((await store.subscriptions.list()).map(restore));
  if (gone.length > 0) await store.subscriptions.forget(gone);
}
