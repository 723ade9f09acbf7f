// What the console's page Topology draws: what follows what, and where.
import { describe, expect, test } from "bun:test";
import type { ObservedQueue, ReportedConsumer, Topology } from "../src/console/page/answers";
import { graphOf, nearTo } from "../src/console/page/topology/graph";
import { columns, layoutOf } from "../src/console/page/topology/layout";

const [itemTypes, orderTypes] = [
  ["item.created", "item.updated", "item.deleted"],
  ["order.created", "order.updated"],
];
const queue = (name: string, types: string[] | null, consumers: string[]) => ({
  ...{ queue: name, kind: "own" as const, types, announcedAt: null, consumers },
});
const topology: Topology = {
  transport: "rabbitmq",
  resources: [
    { name: "item", exchange: "items", queue: "item_events", types: itemTypes },
    { name: "order", exchange: "orders", queue: "order_events", types: orderTypes },
  ],
  queues: [
    queue("audit", [...itemTypes, ...orderTypes], ["audit", "audit-too"]),
    queue("stock", ["item.created"], []),
    queue("unread", null, ["unread"]),
  ],
};
const observed = (name: string, change: Partial<ObservedQueue>): ObservedQueue => ({
  ...{ queue: name, kind: "own", messages: 0, consumers: 0, retries: 0, deadLetters: 0, oldestSeconds: null, perSecond: 0 },
  ...change,
});
const report = (name: string, handledPerSecond: number) => ({ queue: name, handledPerSecond }) as ReportedConsumer;

describe("the graph", () => {
  test("follows events from their resources to the consumers of each queue", () => {
    const { ways, exchanges } = graphOf(topology, null, []);
    expect(exchanges.map(({ name }) => name)).toEqual(["items", "orders"]);
    const [item, order] = [
      ["resource item", "exchange items"],
      ["resource order", "exchange orders"],
    ] as const;
    expect(ways).toEqual([
      [...item],
      [...order],
      [...item, "queue audit", "consumer audit audit"],
      [...item, "queue audit", "consumer audit audit-too"],
      [...order, "queue audit", "consumer audit audit"],
      [...order, "queue audit", "consumer audit audit-too"],
      [...item, "queue stock"],
      ["queue unread", "consumer unread unread"],
    ]);
  });

  test("without RabbitMQ has the event log in place of exchanges", () => {
    const graph = graphOf({ ...topology, transport: "embedded" }, null, []);
    expect(graph.exchanges.map(({ name }) => name)).toEqual(["Event log"]);
    expect(graph.ways.at(-2)).toEqual(["resource item", "log", "queue stock"]);
    // Pointing at a queue shows the resources that it gets events of, and not all that go through the log.
    expect([...nearTo(graph, "queue stock")]).toEqual(["resource item", "log", "queue stock"]);
  });

  test("says how each queue and its consumers do", () => {
    const now = [observed("audit", { messages: 1204, consumers: 2 }), observed("stock", { deadLetters: 3, retries: 1, consumers: 1 })];
    const { queues } = graphOf(topology, now, [report("audit", 70), report("audit", 1.2)]);
    expect(queues.map(({ about, tone, link, arriving, leaving }) => [about, tone, link, arriving, leaving])).toEqual([
      ["own queue", "good", ["consumers", "audit"], "1,204 waiting", "71/s"],
      ["3 dead letters, 1 to retry", "bad", ["consumers", "stock"], "0 waiting", ""],
      ["own queue", undefined, ["consumers", "unread"], "", "none running"],
    ]);
    expect(queues.map(({ consumers }) => consumers.map(({ name, about, tone }) => [name, about, tone]))).toEqual([
      [
        ["audit", "shares the queue", "good"],
        ["audit-too", "shares the queue", "good"],
      ],
      [["stock", "1 running", "good"]],
      [["unread", "not running", "idle"]],
    ]);
  });
});

test("the diagram has a row for each consumer, and its queue beside it", () => {
  const { places, lines, height } = layoutOf(graphOf(topology, null, []));
  expect(height).toBe(4 * 58);
  expect([...places].map(([id, { column, middle }]) => [id, column, middle])).toEqual([
    ["resource item", 0, 87],
    ["resource order", 0, 145],
    ["exchange items", 1, 87],
    ["exchange orders", 1, 145],
    ["queue audit", 2, 58],
    ["consumer audit audit", 3, 29],
    ["consumer audit audit-too", 3, 87],
    ["queue stock", 2, 145],
    ["queue unread", 2, 203],
    ["consumer unread unread", 3, 203],
  ]);
  expect(lines.length).toBe(8);
  expect(lines[0]).toMatchObject({ from: "resource item", to: "exchange items" });
  expect(lines[0]?.path).toMatch(new RegExp(`^M19 87H19C.* 87H${columns[1]}$`));
  expect(layoutOf(graphOf({ ...topology, resources: [], queues: [] }, null, [])).lines).toEqual([]);
});
