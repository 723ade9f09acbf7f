import type { Consumer } from "../delivery/consumer-options";
import { messageOf } from "../observe/logging";
import type { Announcer } from "./announcer";
import type { Broker } from "./connection";
import type { Parking } from "./park";
import { quarantine } from "./quarantine";
import { declareDeadQueue, declareRetryQueue } from "./topology";

/** Well within the time after which a retry queue that nobody declares removes itself. */
const declareAgainAfterMs = 60_000;

/** An outage of a node of RabbitMQ is over by then, mostly; the events behind do not wait for longer. */
const patienceMs = 60_000;

/**
 * The retry and dead letter queues of one consumer, declared when they are needed and not for every message.
 *
 * @param folder for messages that no queue takes.
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
    // For those who look; the retry waits for nobody.
    if (!temporary) {
      void announcer
        .announce({ queue, retryDelayMs: delayMs })
        .catch((error: unknown) => log.debug({ queue, delayMs, error: messageOf(error) }, "A queue for retries could not be announced"));
    }
    return name;
  };
  return {
    retryQueue: (delayMs) => once(`retry ${delayMs}`, () => retryQueue(delayMs)),
    deadQueue: () => once("dead", () => declareDeadQueue(broker, queue, log)),
    forget: () => declared.clear(),
    quarantine: (message, outcome, why) => quarantine(folder, queue, message, outcome, why),
    patienceMs,
  };
}
