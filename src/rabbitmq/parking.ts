import type { Consumer } from "../delivery/consumer-options";
import { messageOf } from "../observe/logging";
import type { Announcer } from "./announcer";
import type { Broker } from "./connection";
import type { Parking } from "./park";
import { quarantine } from "./quarantine";
import { declareDeadQueue, declareRetryQueue } from "./topology";

/** Interval between declarations. Well below the time after which an undeclared retry queue removes itself. */
const declareAgainAfterMs = 60_000;

/** How long RabbitMQ may refuse copies. Most outages of a RabbitMQ node are shorter, and later events must not wait longer. */
const patienceMs = 60_000;

/**
 * Creates the retry and dead-letter queues of one consumer on demand, without declaring them for every message.
 *
 * @param folder Folder for messages that no queue accepts.
 */
export function parkingOf(broker: Broker, announcer: Announcer, { queue, temporary, log }: Consumer, folder: string): Parking {
  const declared = new Map<string, { name: Promise<string>; at: number }>();
  const once = (key: string, declare: () => Promise<string>) => {
    const known = declared.get(key);
    if (known && performance.now() - known.at < declareAgainAfterMs) return known.name;
    const name = declare();
    name.catch(() => declared.delete(key));
    declared.set(key, { name, at: performance.now() });
    return name;
  };
  const retryQueue = async (delayMs: number) => {
    const name = await declareRetryQueue(broker, queue, delayMs, log);
    // The announcement only makes the queue visible to users; the retry does not wait for it.
    if (!temporary) {
      void announcer
        .announce({ queue, retryDelayMs: delayMs })
        .catch((error: unknown) => log.debug({ queue, delayMs, error: messageOf(error) }, "Cannot announce a retry queue"));
    }
    return name;
  };
  return {
    retryQueue: (delayMs) => once(`retry ${delayMs}`, () => retryQueue(delayMs)),
    deadQueue: () => once("dead", () => declareDeadQueue(broker, queue, log)),
    onNewChannel: (use) => broker.withConfirmChannel(use),
    forget: () => declared.clear(),
    quarantine: (message, outcome, why) => quarantine(folder, queue, message, outcome, why),
    patienceMs,
  };
}
