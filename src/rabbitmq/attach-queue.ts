import type { Consumer } from "../delivery/consumer-options";
import { pause } from "../timing/pause";
import type { Announcer } from "./announcer";
import type { Broker } from "./connection";
import { declareResources, declareTemporaryQueue, queueDepth, subscriptionsQueue } from "./topology";

/** Pauses between checks for the queue, in milliseconds. A running API creates it at once; one that is down may take long to return. */
const [shortestPauseMs, longestPauseMs] = [10, 250];
/** Interval after which a consumer announces a missing queue again, provided that the API has read its earlier announcement. */
const askAgainAfterMs = 60_000;

/**
 * Makes sure that the consumer's queue exists with its bindings. The API creates, fills and binds a consumer's own queue: only it has the
 * past events, and knows where past and present meet.
 */
export async function attachQueue(broker: Broker, announcer: Announcer, closed: AbortSignal, consumer: Consumer): Promise<void> {
  const { queue, catalogue, wanted, temporary, startFrom, log } = consumer;
  const owner = catalogue.ownerOf(queue);
  if (owner) return declareResources(broker, [owner], log);
  if (temporary) return declareTemporaryQueue(broker, queue, wanted, catalogue.resources, log);

  const announce = () =>
    announcer.announce({ queue, types: [...wanted], startFrom: startFrom instanceof Date ? startFrom.toISOString() : startFrom });
  await announce();
  let askedAt = performance.now();
  let pauseMs = shortestPauseMs;
  for (let told = false; !closed.aborted && (await queueDepth(broker, queue)) === undefined; told = true) {
    if (!told) log.info({ queue }, "Waiting for the API to create this queue and fill it from its log: start it with `bun run dev`");
    await pause(pauseMs, closed);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    if (performance.now() - askedAt < askAgainAfterMs) continue;
    askedAt = performance.now();
    // An unread announcement is still waiting for the API: do not send another.
    if ((await queueDepth(broker, subscriptionsQueue)) !== 0) continue;
    log.warn({ queue }, "The API has not created this queue yet; asking again. If it refused, its log and `bun run status` show why");
    await announce();
  }
}
