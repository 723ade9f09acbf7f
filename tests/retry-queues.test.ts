// Consumers on RabbitMQ say where their retries wait; who looks asks those queues, and no others.
import { expect, test } from "bun:test";
import { parseAnnouncement, type RetryAnnouncement } from "../src/rabbitmq/announcement";
import { knownQueues } from "../src/status/queue-states";
import { openLog } from "../src/store/open";
import { forEachEngine } from "./support/engines";
import { catalogue } from "./support/resources";
import { useStore } from "./support/use-store";

forEachEngine((placesIn) => {
  const { places, store } = useStore(placesIn, catalogue.resources);

  test("what was announced is kept until its queue is gone, for another process to read", async () => {
    await store.retryQueues.save({ queue: "audit", delayMs: 1000, expiresAt: 100 });
    await store.retryQueues.save({ queue: "audit", delayMs: 750, expiresAt: 200 });
    await store.retryQueues.save({ queue: "other", delayMs: 750, expiresAt: 300 });
    // Declared again, it is there for longer.
    await store.retryQueues.save({ queue: "audit", delayMs: 1000, expiresAt: 250 });
    const follower = await openLog(places());
    const now = await store.retryQueues.list(199);
    expect(now.map(({ queue, delayMs }) => [queue, delayMs])).toEqual([
      ["audit", 750],
      ["audit", 1000],
      ["other", 750],
    ]);
    expect(await follower?.retryQueues(199)).toEqual(now);
    expect(await follower?.retryQueues(250)).toEqual([{ queue: "other", delayMs: 750, expiresAt: 300 }]);
    expect(knownQueues(catalogue, ["audit"], now)).toEqual([
      { queue: "item_events", retryDelaysMs: [] },
      { queue: "order_events", retryDelaysMs: [] },
      { queue: "audit", retryDelaysMs: [750, 1000] },
    ]);
    follower?.close();
  });
});

test.each([
  [{ queue: "audit", retryDelayMs: 1 }, true],
  [{ queue: "audit", retryDelayMs: 86_400_000 }, true],
  [{ queue: "audit", retryDelayMs: 86_400_001 }, false],
  [{ queue: "audit", retryDelayMs: 0 }, false],
  [{ queue: "audit", retryDelayMs: 1.5 }, false],
  [{ retryDelayMs: 1000 }, false],
])("%j is an announcement: %p", (value, isOne) => {
  expect(parseAnnouncement(Buffer.from(JSON.stringify(value)))).toEqual(isOne ? (value as RetryAnnouncement) : undefined);
});
