// GET /catalogue and GET /topology: what a program consists of, and how events go through it.
import { afterEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { crud } from "warren/crud";
import { defineResource, pastVersion } from "warren/resource";
import catalogueRoute from "../src/built-in/catalogue";
import { type DescribedCatalogue, describeCatalogue } from "../src/built-in/described-catalogue";
import topologyRoute from "../src/built-in/topology";
import type { Broker } from "../src/rabbitmq/connection";
import { Catalogue } from "../src/schema/catalogue";
import { topologyOf } from "../src/status/topology";
import { consumerStores, openStore } from "../src/store/open";
import { openApi, type TestApi } from "./support/api";
import { forEachEngine } from "./support/engines";
import { useFolder } from "./support/use-folder";

const book = defineResource({
  name: "book",
  fields: { title: Type.String({ maxLength: 200 }), isbn: Type.String(), pages: Type.Integer() },
  private: ["pages"],
  example: { title: "Emma", isbn: "1", pages: 3 },
  filters: { title: "prefix" },
  sort: ["title"],
  unique: ["isbn"],
  events: { lent: { to: Type.String() } },
  past: [pastVersion({ fields: { name: Type.String(), isbn: Type.String() }, up: ({ name, ...rest }) => ({ ...rest, title: name }) })],
});
const loan = defineResource({
  name: "loan",
  fields: { book: Type.Integer() },
  references: { book: { to: "book" } },
  example: { book: 1 },
});

let api: TestApi | undefined;
afterEach(async () => {
  await api?.close();
  api = undefined;
});

const routes = [
  { file: "books.ts", path: "/books", route: crud(book) },
  { file: "lendings.ts", path: "/lendings", route: crud(loan) },
  { file: "catalogue.ts", path: "/catalogue", route: catalogueRoute },
  { file: "topology.ts", path: "/topology", route: topologyRoute },
];

test("the catalogue has resources, every version of the event types, and consumers", async () => {
  api = openApi({ routes, resources: [book, loan] });
  const { resources, eventTypes, consumers } = (await api.send("GET", "/catalogue")).json<DescribedCatalogue>();
  expect(resources.map(({ name, path }) => [name, path])).toEqual([
    ["book", "/books"],
    ["loan", null],
  ]);
  expect(resources[0]).toMatchObject({
    ...{ queue: "book_events", isRetired: false, filters: { title: ["prefix"] }, unique: [["isbn"]], isSearchable: false },
    ...{ sorts: ["id", "createdAt", "updatedAt", "title"], events: ["book.created", "book.updated", "book.deleted", "book.lent"] },
    input: { type: "object", properties: { title: { type: "string" } } },
  });
  expect(resources[1]).toMatchObject({ references: [{ field: "book", to: "book" }] });
  const created = eventTypes.find(({ type }) => type === "book.created");
  expect(created?.versions.map(({ version, changes }) => [version, changes])).toEqual([
    [1, []],
    [2, expect.arrayContaining([expect.stringContaining("/book/name was removed")])],
  ]);
  expect(created?.versions[1]?.example).toMatchObject({ book: { title: "Emma" } });
  expect(JSON.stringify(resources[0]?.record)).not.toContain("pages");
  // Those of this project, which are also in the AsyncAPI document.
  expect(consumers.map(({ name }) => name)).toContain("audit");
});

test("a consumer of a shared queue gets the events of its resource; one without a queue has a temporary one", () => {
  const consumers = [
    { name: "lender", queue: "book_events" },
    { name: "printer", events: ["*.created"] },
    { name: "eraser", queue: "eraser", events: ["book.erased"] },
    { name: "daily", queue: "daily", schedule: "@daily" },
  ];
  const described = describeCatalogue(new Catalogue([book, loan]), { consumers, paths: [] }).consumers;
  expect(described.map(({ name, queue, types }) => [name, queue, types])).toEqual([
    ["lender", "book_events", ["book.created", "book.updated", "book.deleted", "book.lent"]],
    ["printer", null, ["book.created", "loan.created"]],
    ["eraser", "eraser", ["book.erased"]],
    ["daily", "daily", ["schedule.due"]],
  ]);
});

test("both need a token that may read", async () => {
  api = openApi({ routes, resources: [book, loan], config: { apiTokens: [{ token: "token-to-read", scope: "read" }] } });
  for (const path of ["/catalogue", "/topology"]) {
    expect((await api.send("GET", path)).status).toBe(401);
    expect((await api.send("GET", path, undefined, { authorization: "Bearer token-to-read" })).status).toBe(200);
  }
});

forEachEngine((placesIn) => {
  const folder = useFolder();
  test("without RabbitMQ, the topology has the queues of those that have read the log", async () => {
    const places = placesIn(folder.path);
    const store = await openStore(places, [book, loan]);
    const consumers = consumerStores(places);
    const opened = await Promise.all(["new", "stock"].map((queue) => consumers.open(queue, { durable: false })));
    await opened[1]?.begin(store.logId, 0, ["book.lent"]);
    const transport = { name: "embedded", reason: "of the test" } as const;
    const topology = await topologyOf({ transport, broker: undefined, catalogue: new Catalogue([book, loan]), consumers }, store);
    expect(topology).toMatchObject({
      transport: "embedded",
      resources: [{ name: "book", exchange: book.exchange, queue: "book_events" }, { name: "loan" }],
      queues: [
        { queue: "new", kind: "own", types: null, announcedAt: expect.any(String) },
        { queue: "stock", kind: "own", types: ["book.lent"] },
      ],
    });
    await Promise.all(opened.map((each) => each.close()));
    await consumers.close();
    await store.close();
  });
});

describe("with RabbitMQ", () => {
  test("it has the shared queues, and those that consumers have announced and not removed", async () => {
    const list = async () => [
      { queue: "stock", types: ["book.lent"], announcedAt: Date.UTC(2026, 1, 18), signedAt: null },
      { queue: "removed", types: [], announcedAt: 1, signedAt: null },
    ];
    const sources = {
      ...{ transport: { name: "rabbitmq", reason: "of the test" } as const, broker: {} as Broker },
      ...{ catalogue: new Catalogue([book, loan]), consumers: {} as never },
    };
    const { queues } = await topologyOf(sources, { logId: "", subscriptions: { list } as never });
    expect(queues.map(({ queue, kind, types, announcedAt }) => [queue, kind, types?.length, announcedAt])).toEqual([
      ["book_events", "shared", 4, null],
      ["loan_events", "shared", 3, null],
      ["stock", "own", 1, "2026-02-18T00:00:00.000Z"],
    ]);
  });
});
