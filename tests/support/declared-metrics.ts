import { buildEvent } from "warren/testing";
import { describeWorkers } from "../../src/consumer/metrics";
import { resolveConsumer } from "../../src/delivery/consumer-options";
import { Worker } from "../../src/delivery/worker";
import { describeQueues } from "../../src/engine/queue-metrics";
import { describeTimers } from "../../src/engine/timer-metrics";
import { measureRequests } from "../../src/http/http-metrics";
import { Metrics } from "../../src/observe/metrics";
import { describeProcess } from "../../src/observe/process-metrics";
import { Distribution, workSeconds } from "../../src/observe/tally";
import { describeBroker } from "../../src/rabbitmq/broker-metrics";
import { describeRelay } from "../../src/rabbitmq/relay-metrics";
import { openConsumerFile } from "../../src/store/sqlite/consumer/file";
import { openSqliteStore } from "../../src/store/sqlite/store";
import { describeStore } from "../../src/store/store-metrics";
import { temporaryFolder } from "./folder";
import { MemoryLog } from "./memory-log";
import { origin } from "./origin";
import { recordedLog } from "./recorded-log";
import { catalogue } from "./resources";
import { readScrape, type Scrape } from "./scrape";

/** Returns every metric of the API and of a consumer, with a sample of each. */
export async function declaredMetrics(): Promise<Scrape> {
  const folder = temporaryFolder();
  const { log } = recordedLog();
  const store = openSqliteStore(`${folder.path}/warren.db`, catalogue.resources);
  const metrics = new Metrics(log);
  describeProcess(metrics);
  describeStore(metrics, store);
  describeTimers(metrics, store.timers);
  describeRelay(metrics, { position: async () => 0, isRunning: true, tally: { confirms: 0, returns: 0, failures: 0 } }, new MemoryLog());
  describeBroker(metrics, [{ state: "connected", reconnects: 0, blockedSeconds: 0 }]);
  describeQueues(metrics, async () => [{ queue: "item_events", messages: 0, consumers: 0, retries: 0, deadLetters: 0, oldestAt: null }]);
  measureRequests(metrics, new Distribution(workSeconds), () => ["/items"])(new Request("http://test/items"), 200, performance.now());
  const consumer = resolveConsumer({ queue: "item_events", handle: () => {} }, catalogue, log, () => {});
  const worker = new Worker(consumer, async () => openConsumerFile(":memory:", { durable: false }));
  const body = JSON.stringify(buildEvent("item.created"));
  worker.take({ body, failures: 0, suspect: false, replay: "no", origin, gone: false, settle: () => {} });
  await worker.drain();
  describeWorkers(metrics, [worker]);
  const scrape = readScrape(await metrics.render());
  await store.close();
  folder.remove();
  return scrape;
}
