// Invariant 7, and traces across real processes: the API, its consumers, a collector, and RabbitMQ where it is installed.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { temporaryFolder } from "../support/folder";
import { type OtlpReceiver, startOtlpReceiver } from "../support/otlp-receiver";
import { type Api, endAll, environment, eventually, run, startApi } from "../support/processes";
import { type QueueConsumers, queueConsumers, untilDead } from "../support/queue-consumer";
import { describeWithRabbit, emptyBroker, useOwnRabbit } from "../support/rabbit";
import { requests } from "../support/requests";
import { type Tree, treesOf } from "../support/trace-tree";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(90_000);

const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

let folder: ReturnType<typeof temporaryFolder>;
let collector: OtlpReceiver;
let consumers: QueueConsumers | undefined;
beforeEach(() => {
  folder = temporaryFolder();
  collector = startOtlpReceiver();
});
afterEach(async () => {
  await endAll();
  consumers?.remove();
  consumers = undefined;
  collector.stop();
  folder.remove();
});

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
}
const count = (queue: string) => collector.spans.filter((span) => span.name.startsWith("process") && span.name.endsWith(queue)).length;
const untilProcessed = (queue: string, times: number) =>
  eventually(() => (count(queue) >= times ? true : undefined), `${times} spans of processing on ${queue}`, 30_000);

/** An event fails, is given up, redriven and replayed. Returns the trees of its request's trace. */
async function story(env: Record<string, string>, service: string, pause = async () => {}, goOn = async () => {}): Promise<Tree[]> {
  // The API sends its spans when it stops.
  const api: Api = await startApi({ env: service === "warren" ? env : { ...env, OTEL_SERVICE_NAME: service } });
  consumers = await queueConsumers({ ...env, OTEL_BSP_SCHEDULE_DELAY: "50" });
  consumers.fails({ unlucky: "fail" });
  const shop = await consumers.start({ queue: "shop" });
  const other = await consumers.start({ queue: "other" });

  // A queue that is not bound yet would get the event from its fill.
  await requests(() => api.url).filled();
  await pause();
  expect((await post(`${api.url}/items`, { name: "unlucky" }, { traceparent })).status).toBe(201);
  await goOn();
  await untilProcessed("shop", 2);
  // It may come back later than the other one from a broker that was away.
  await untilProcessed("other", 2);
  await untilDead(api.url, "shop", 1);
  consumers.works();
  await post(`${api.url}/dead-letters/shop/redrive`, {});
  await untilProcessed("shop", 3);
  await post(`${api.url}/replays`, { queue: "shop" });
  await untilProcessed("shop", 4);
  expect(await Promise.all([shop.stop(), other.stop(), api.stop()])).toEqual([0, 0, 0]);

  expect(collector.unexpected).toEqual([]);
  const services = new Map(collector.spans.map((span) => [span.name, span.service]));
  expect([services.get("POST /items"), services.get("process shop")]).toEqual([service, "warren-under-test"]);
  return treesOf(collector.spans, traceId);
}

test("without a broker: one trace of a request, both consumers, the retry, the redrive and the replay", async () => {
  const trees = await story({ ...environment(folder.path), OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }, "shop-api");
  expect(trees).toEqual([
    [
      "POST /items",
      [
        "create item.created",
        "process other: 1 retry",
        "process other: 2 dead-letter",
        "process shop: 1 handled",
        "process shop: 1 handled",
        "process shop: 1 retry",
        "process shop: 2 dead-letter",
      ],
    ],
  ]);
});

test("while it is off, OpenTelemetry's SDK is not loaded", async () => {
  const loaded = (more: string) =>
    `for (const file of ["app/serve", "consumer/run"${more}]) await import("./src/" + file);
     console.log("loaded", Object.keys(require.cache).filter((file) => file.includes("@opentelemetry/sdk-trace")).length);`;
  expect(await run(["-e", loaded("")]).line("loaded")).toBe("loaded 0");
  expect(await run(["-e", loaded(', "observe/otel"')]).line("loaded")).not.toBe("loaded 0");
});

describeWithRabbit("with RabbitMQ", () => {
  const rabbit = useOwnRabbit();
  afterEach(() => emptyBroker(rabbit()));

  test("one trace, also when the broker was away at the request", async () => {
    const env = { ...environment(folder.path, rabbit().url), OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const trees = await story(env, "warren", rabbit().kill, rabbit().start);
    expect(trees).toEqual([
      [
        "POST /items",
        [
          "create item.created",
          "process events:item.created:other: 1 retry",
          "process events:item.created:shop: 1 retry",
          "process other: 2 dead-letter",
          "process shop: 1 handled",
          "process shop: 1 handled",
          "process shop: 2 dead-letter",
          "publish events:item.created",
          "publish shop",
        ],
      ],
    ]);
    const [created] = collector.spans.filter((span) => span.name === "create item.created" && span.traceId === traceId);
    const [published] = collector.spans.filter((span) => span.name === "publish events:item.created" && span.traceId === traceId);
    expect(published).toMatchObject({
      kind: "client",
      parentSpanId: created?.spanId,
      links: [created?.spanId],
      attributes: {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": "send",
        "messaging.destination.name": "events:item.created",
        "messaging.rabbitmq.destination.routing_key": "item.created",
        "messaging.message.id": created?.attributes["messaging.message.id"],
        "server.address": "127.0.0.1",
        "server.port": rabbit().port,
      },
    });
  });
});
