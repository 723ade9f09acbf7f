// The AsyncAPI document, read by AsyncAPI's own parser, and compared with what the program does.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Parser } from "@asyncapi/parser";
import { Type } from "@sinclair/typebox";
import { asyncApiDocument } from "../src/docs/asyncapi";
import type { FoundConsumer } from "../src/docs/find-consumers";
import type { Broker } from "../src/rabbitmq/connection";
import { declareDurableQueue, declareResources, declareTemporaryQueue } from "../src/rabbitmq/topology";
import { Catalogue } from "../src/schema/catalogue";
import { defineResource } from "../src/schema/define-resource";
import { parseEvent } from "../src/schema/event";
import { Nullable } from "../src/schema/resource";
import { openApi } from "./support/api";
import { catalogue } from "./support/documents";
import { testInFull } from "./support/in-full";
import { recordedLog } from "./support/recorded-log";

// The parser takes its time on a busy machine.
setDefaultTimeout(60_000);

const consumers: FoundConsumer[] = [
  { name: "audit", queue: "audit", exactlyOnce: true, description: "Keeps it all." },
  { name: "logger", queue: "parcel_events" },
  { name: "webhook", queue: "webhook.{name}", events: ["*.created", "parcel.#"] },
  { name: "tail", events: ["parcel.shipped"], versions: { "parcel.shipped": 3 } },
];
const document = asyncApiDocument(catalogue, consumers);

const parser = new Parser();

/** Returns the parsed document and the complaints of the parser. */
async function read(text: string) {
  const { document: parsed, diagnostics } = await parser.parse(text);
  // 3.1 is newer, which is no mistake.
  const mistakes = diagnostics.filter(({ code }) => code !== "asyncapi-latest-version");
  return { parsed, complaints: mistakes.map(({ message, path }) => `${path.join("/")}: ${message}`) };
}

describe("the AsyncAPI document", () => {
  testInFull("is not valid with a reference to nothing: the parser would tell", async () => {
    const broken = JSON.stringify(document).replace('"$ref":"#/channels/queue-audit"', '"$ref":"#/channels/nothing"');
    expect((await read(broken)).complaints).toContainEqual(expect.stringContaining("channels/nothing"));
  });

  const daily = { name: "daily", queue: "daily", schedule: "0 9 * * 1-5", timeZone: "Europe/London" };
  const scheduled = asyncApiDocument(catalogue, [...consumers, daily]);

  test("has the event of schedules if a consumer has one, on its queue only", () => {
    const message = scheduled.components.messages["schedule.due.v1"] as { examples: readonly { payload: object }[] };
    expect(parseEvent(JSON.stringify(message.examples[0]?.payload), catalogue)).toMatchObject({ ok: true });
    const { description } = scheduled.channels["queue-daily"] as { readonly description: string };
    expect(description).toContain("which gets an event at the times of `0 9 * * 1-5` in Europe/London");
    const having = ({ channels }: ReturnType<typeof asyncApiDocument>) =>
      Object.entries(channels).flatMap(([key, channel]) => (JSON.stringify(channel).includes("schedule.due") ? [key] : []));
    expect([having(scheduled), having(document)]).toEqual([["queue-daily"], []]);
  });

  testInFull("is valid with a schedule", async () => {
    expect((await read(JSON.stringify(scheduled))).complaints).toEqual([]);
  });

  test("is valid, and has a message for each version of each event type, with an example that consumers can read", async () => {
    const { parsed, complaints } = await read(JSON.stringify(document));
    expect(complaints).toEqual([]);
    const messages = parsed?.components().messages().all() ?? [];
    const ids = messages.map((message) => message.id());
    expect(ids).toHaveLength(4 + 4 + 3 * 4 + 4 + 1);
    expect(ids).toEqual(expect.arrayContaining(["item.created.v1", "parcel.created.v1", "parcel.created.v3", "parcel.shipped.v4"]));
    for (const message of messages) {
      const [example] = message.examples().all();
      const event = parseEvent(JSON.stringify(example?.payload()), catalogue);
      expect([message.id(), event]).toMatchObject([message.id(), { ok: true, event: { type: message.name() as string } }]);
      expect(example?.headers()).toMatchObject({ "cloudEvents:type": message.name(), "cloudEvents:subject": "1" });
      const { payload, headers } = message.json() as Record<"payload" | "headers", { properties: object; required: string[] }>;
      // No handler has caused the example.
      expect([...Object.keys(example?.payload() ?? {}), "cause", "depth"]).toEqual(Object.keys(payload.properties));
      expect(Object.keys(example?.headers() ?? {})).toEqual(headers.required);
      expect(Object.keys(headers.properties)).toEqual(expect.arrayContaining(headers.required));
    }
    expect(document.components.messages["parcel.created.v1"]).toMatchObject({ summary: "No longer published; replaced by version 3." });
  });

  test("publishes each event type in its newest version", () => {
    const sent = Object.entries(document.operations).filter(([, { action }]) => action === "send");
    expect(sent.map(([key]) => key)).toEqual(catalogue.types.map(({ type }) => `publish.${type}`));
    expect(document.operations["publish.parcel.shipped"]).toMatchObject({
      channel: { $ref: "#/channels/parcel.shipped" },
      messages: [{ $ref: "#/channels/parcel.shipped/messages/parcel.shipped.v4" }],
      bindings: { amqp: { deliveryMode: 2, mandatory: true } },
    });
    expect(document.channels["order.created"]).toMatchObject({
      address: "order.created",
      bindings: { amqp: { is: "routingKey", exchange: { name: "sales", type: "topic", durable: true } } },
    });
  });

  test("has an operation for each consumer, on its queue, with what comes there in every version", () => {
    const received = Object.entries(document.operations).filter(([, { action }]) => action === "receive");
    expect(received.map(([key]) => key)).toEqual(consumers.map(({ name }) => `consume.${name}`));
    const about = (name: string) => {
      const { channel, messages } = document.operations[`consume.${name}`] as { channel: { $ref: string }; messages: object[] };
      const { address } = document.channels[channel.$ref.split("/")[2] as string] as { address: string | null };
      return [channel.$ref, address, messages.length];
    };
    expect(["audit", "logger", "webhook", "tail"].map(about)).toEqual([
      ["#/channels/queue-audit", "audit", 22],
      ["#/channels/queue-parcel_events", "parcel_events", 16],
      ["#/channels/queue-webhook.name", "webhook.{name}", 18],
      ["#/channels/queue-tail", null, 4],
    ]);
    expect(document.operations["consume.audit"]).toMatchObject({
      summary: "Keeps it all.",
      description: "Reads every version and receives each event in the newest one. Its effects are applied exactly once.",
    });
    expect(document.operations["consume.tail"]?.["description"]).toContain("Requests `parcel.shipped` in version 3.");
  });

  test("describes exchanges and queues as the program declares them", async () => {
    const declared: Record<string, object> = {};
    const channel = {
      assertExchange: async (name: string, type: string, options: object) => Object.assign(declared, { [name]: { type, ...options } }),
      assertQueue: async (name: string, options: object) => Object.assign(declared, { [name]: options }),
      bindQueue: async () => {},
      unbindQueue: async () => {},
    };
    const broker = { withChannel: (use: (given: typeof channel) => unknown) => use(channel) } as unknown as Broker;
    const { log } = recordedLog();
    await declareResources(broker, catalogue.resources, log);
    await declareDurableQueue(broker, "audit", log);
    await declareTemporaryQueue(broker, "tail", new Set(["parcel.shipped"]), catalogue.resources, log);
    for (const [key, described] of Object.entries(document.channels)) {
      const { is, exchange, queue } = (described["bindings"] as { amqp: Record<string, Record<string, unknown>> }).amqp;
      if (key === "queue-webhook.name") continue;
      const { name = "tail", type, durable, exclusive } = (is as unknown) === "queue" ? (queue ?? {}) : (exchange ?? {});
      const real = declared[String(name)];
      expect([key, { exclusive: false, ...real }]).toMatchObject([
        key,
        { ...(type !== undefined && { type }), durable, exclusive: exclusive ?? false },
      ]);
    }
  });
});

describe("its schemas have names, so that generators make one type of each", () => {
  /** The names of what becomes a type in some language: objects, enums, and unions of objects. */
  async function typesIn(text: string): Promise<string[]> {
    const { parsed } = await read(text);
    const all = parsed?.allSchemas().all() ?? [];
    const types = all.filter((schema) => {
      const alternatives = [...(schema.anyOf() ?? []), ...(schema.oneOf() ?? [])];
      return schema.properties() || schema.enum() || alternatives.some((one) => one.properties() || one.enum());
    });
    return [...new Set(types.map((schema) => schema.id()))];
  }

  testInFull("records, events, their data, and what is nested in them", async () => {
    const types = await typesIn(JSON.stringify(document));
    expect(types.filter((name) => name.includes("anonymous"))).toEqual([]);
    expect(types).toEqual(
      expect.arrayContaining([
        ...["Item", "ItemCreated", "ItemUpdated", "ItemDeleted", "EventHeaders"],
        ...["Order", "OrderLinesItem", "OrderAddress", "OrderRecipient", "OrderState", "OrderCreated"],
        ...["Parcel", "ParcelV1", "ParcelV2", "ParcelShipped", "ParcelShippedV3", "ParcelShippedData", "ParcelShippedDataV1"],
      ]),
    );
    expect(Object.keys(document.components.schemas).filter((name) => /^Item/.test(name))).toEqual([
      "Item",
      "ItemCreated",
      "ItemUpdated",
      "ItemDeleted",
      "ItemErasedRecord",
      "ItemErased",
    ]);
  });

  testInFull("two schemas never share a name, and a record has its own", async () => {
    const line = (fields: object) => Type.Object({ ...fields });
    const bill = defineResource({
      name: "bill",
      fields: {
        line: line({ a: Type.String() }),
        default: Nullable(line({ title: Type.String() })),
        kinds: Type.Record(Type.String(), line({ b: Type.String() })),
      },
      example: { line: { a: "" }, default: null, kinds: {} },
    });
    const billLine = defineResource({ name: "bill_line", fields: { c: Type.String() }, example: { c: "" } });
    const { components } = asyncApiDocument(new Catalogue([bill, billLine]), []);
    const properties = (name: string) => Object.keys((components.schemas[name] as { properties: object }).properties);
    expect(properties("BillLine")).toEqual(["id", "c", "version", "createdAt", "updatedAt"]);
    expect(properties("BillLine2")).toEqual(["a"]);
    expect(properties("Bill")).toEqual(["id", "line", "default", "kinds", "version", "createdAt", "updatedAt"]);
    expect(properties("BillDefault")).toEqual(["title"]);
    expect(
      (await typesIn(JSON.stringify(asyncApiDocument(new Catalogue([bill, billLine]), [])))).filter((name) => name.includes("anon")),
    ).toEqual([]);
  });

  test("times have their format", () => {
    const format = { type: "string", format: "date-time", description: expect.any(String) };
    // A copy, since Bun's toMatchObject writes matchers such as expect.any into what it compares.
    const schemas = structuredClone(document.components.schemas);
    expect(schemas["Item"]?.["properties"]).toMatchObject({ createdAt: format, updatedAt: format });
    expect(schemas["ParcelV1"]?.["properties"]).toMatchObject({ createdAt: format });
    expect(schemas["OrderCreated"]?.["properties"]).toMatchObject({ timestamp: format });
    expect(JSON.stringify(document)).not.toContain("x-documented-as");
  });
});

describe("over HTTP", () => {
  test("the document is that of this program, and needs no token", async () => {
    const api = openApi({ config: { apiTokens: [{ scope: "read", token: "a-secret-for-tests" }] } });
    const answer = await api.send("GET", "/asyncapi.json");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
    const served = answer.json<{ channels: object; operations: object }>();
    expect(Object.keys(served.channels)).toEqual(
      expect.arrayContaining(["item.created", "order.deleted", "queue-item_events", "queue-audit"]),
    );
    expect(Object.keys(served.operations)).toEqual(expect.arrayContaining(["consume.audit", "consume.logger", "consume.webhook"]));
    expect((await read(answer.text)).complaints).toEqual([]);
    for (const path of ["/asyncapi.jsonx", "/asyncapix", "/items"])
      expect([path, (await api.send("GET", path)).status]).toEqual([path, 401]);
    await api.close();
  });

  test("/asyncapi leads to the console, which shows it; without a console, it names the document", async () => {
    const [on, off] = [openApi(), openApi({ config: { console: "off" } })];
    const locations = await Promise.all(
      ["/asyncapi", "/asyncapi/"].map(async (path) => (await on.send("GET", path)).headers.get("location")),
    );
    expect(locations).toEqual(["console/#/contracts", "../console/#/contracts"]);
    expect((await off.send("GET", "/asyncapi")).json()).toMatchObject({ status: 404, detail: expect.stringContaining("/asyncapi.json") });
    await Promise.all([on.close(), off.close()]);
  });
});
