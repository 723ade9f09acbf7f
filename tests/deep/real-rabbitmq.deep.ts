// Real processes on a real, private RabbitMQ.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { type ChannelModel, type ConsumeMessage, connect } from "amqplib";
import { temporaryFolder } from "../support/folder";
import { freePort } from "../support/net";
import { endAll, environment, eventually, run, send, startApi, startLogger } from "../support/processes";
import {
  bindingsIn,
  closeConnections,
  describeWithRabbit,
  emptyBroker,
  type OwnRabbit,
  startRabbit,
  useOwnRabbit,
} from "../support/rabbit";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const sample = { name: "Sample Item", price: 9.99 };

describeWithRabbit("with RabbitMQ", () => {
  const rabbit = useOwnRabbit();
  let folder: ReturnType<typeof temporaryFolder>;
  let env: Record<string, string>;
  let connections: ChannelModel[] = [];

  beforeEach(() => {
    folder = temporaryFolder();
    env = environment(folder.path, rabbit().url);
  });
  afterEach(async () => {
    await endAll();
    for (const connection of connections) await connection.close().catch(() => {});
    connections = [];
    folder.remove();
    await emptyBroker(rabbit());
  });

  async function openChannel() {
    const connection = await connect(rabbit().url);
    connection.on("error", () => {});
    connections.push(connection);
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    return channel;
  }

  /** Consumes as a program in any language would: declares the queue plainly, and reads. */
  async function plainConsumer(queue: string) {
    const channel = await openChannel();
    await channel.assertQueue(queue, { durable: true });
    const messages: ConsumeMessage[] = [];
    await channel.consume(queue, (message) => {
      if (!message) return;
      messages.push(message);
      channel.ack(message);
    });
    return {
      messages,
      count: (count: number) => eventually(() => (messages.length >= count ? messages : undefined), `${count} messages on ${queue}`),
    };
  }

  async function settled(url: string) {
    return eventually(async () => {
      const state = (await (await send("GET", `${url}/health/ready`)).json()) as { events: number; confirmed: number };
      return state.events === state.confirmed ? state : undefined;
    }, "RabbitMQ to have confirmed every event");
  }

  test("a change over HTTP is a line in the logger's terminal", async () => {
    const api = await startApi({ env });
    const logger = await startLogger([], { env });
    await send("POST", `${api.url}/items`, sample);
    await send("PATCH", `${api.url}/items/1`, { name: "Updated Item" });
    await send("DELETE", `${api.url}/items/1`);
    const lines = await logger.lines(/^\[/, 3);
    expect(lines.map((line) => line.replace(/ at .*/, ""))).toEqual([
      "[CREATED] Item ID: 1, Name: Sample Item",
      "[UPDATED] Item ID: 1, Name: Updated Item",
      "[DELETED] Item ID: 1, Name: Updated Item",
    ]);
    await logger.line("Transport: rabbitmq, because RABBITMQ_URL is set", "stderr");
  });

  test("the message is as the contract says: body, properties, headers", async () => {
    const api = await startApi({ env });
    const consumer = await plainConsumer("item_events");
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const answer = await fetch(`${api.url}/items`, {
      method: "POST",
      body: JSON.stringify(sample),
      headers: { "content-type": "application/json", traceparent },
    });
    const item = await answer.json();
    const [message] = await consumer.count(1);
    if (!message) throw new Error("no message");
    const text = message.content.toString();
    const event = JSON.parse(text) as { id: string; timestamp: string };
    expect(text).toBe(
      `{"id":"${event.id}","type":"item.created","version":1,"item":${JSON.stringify(item)},"timestamp":"${event.timestamp}"}`,
    );
    expect(event.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(message.fields).toMatchObject({ exchange: "events", routingKey: "item.created" });
    const { properties } = message;
    expect(properties).toMatchObject({ messageId: event.id, type: "item.created", contentType: "application/json", deliveryMode: 2 });
    expect(properties.timestamp).toBe(Math.floor(Date.parse(event.timestamp) / 1000));
    expect(properties.headers as Record<string, unknown>).toEqual({
      "cloudEvents:specversion": "1.0",
      "cloudEvents:id": event.id,
      "cloudEvents:type": "item.created",
      "cloudEvents:source": "/item",
      "cloudEvents:subject": "1",
      "cloudEvents:time": event.timestamp,
      traceparent,
    });
  });

  test("a program that declared item_events plainly, before Warren ever ran, shares it", async () => {
    const consumer = await plainConsumer("item_events");
    const api = await startApi({ env });
    await send("POST", `${api.url}/items`, sample);
    const [message] = await consumer.count(1);
    const { type, item, timestamp } = JSON.parse(String(message?.content)) as {
      type: string;
      item: { id: number; name: string };
      timestamp: string;
    };
    expect([type, item.id, item.name, Number.isNaN(Date.parse(timestamp))]).toEqual(["item.created", 1, "Sample Item", false]);
  });

  test("two loggers on item_events share its events; a filter of one's own takes none from them", async () => {
    const api = await startApi({ env });
    const shared = [await startLogger([], { env }), await startLogger([], { env })];
    const temporary = await startLogger(["--events", "item.deleted"], { env });
    const durable = await startLogger(["--events", "item.created,item.deleted", "--queue", "tail"], { env });
    for (let id = 1; id <= 20; id += 1) {
      await send("POST", `${api.url}/items`, sample);
      await send("PUT", `${api.url}/items/${id}`, { ...sample, price: 5 });
    }
    await send("DELETE", `${api.url}/items/7`);
    await temporary.lines(/^\[DELETED\] Item ID: 7/, 1);
    await durable.lines(/^\[/, 21);
    await eventually(() => (shared.reduce((sum, logger) => sum + logger.stdout.length - 1, 0) === 41 ? true : undefined), "41 events");
    expect(temporary.stdout).toHaveLength(2);
    expect(durable.stdout.filter((line) => line.startsWith("[UPDATED]"))).toEqual([]);
  });

  test("a durable queue of its own keeps events while no logger runs, and a narrower filter applies from the next run on", async () => {
    const api = await startApi({ env });
    const first = await startLogger(["--queue", "tail"], { env });
    expect(await first.stop()).toBe(0);
    await send("POST", `${api.url}/items`, sample);
    await send("DELETE", `${api.url}/items/1`);
    await settled(api.url);
    const second = await startLogger(["--queue", "tail", "--events", "item.created"], { env });
    await send("POST", `${api.url}/items`, sample);
    await second.lines(/^\[CREATED\]/, 2);
    expect(second.stdout.filter((line) => line.startsWith("[DELETED]"))).toEqual([]);
    // The API reads the announcement beside what the consumer does.
    await eventually(async () => {
      const bindings = (await bindingsIn(rabbit())).filter((binding) => binding.includes(" tail "));
      return bindings.join() === "events tail item.created" || undefined;
    }, "the binding to be narrower");
  });

  test("the broker is killed and comes back in the middle: 2xx throughout, one warning, every event in order", async () => {
    const api = await startApi({ env });
    const logger = await startLogger(["--json"], { env });
    const expected: number[] = [];
    const create = async () => {
      const answer = await send("POST", `${api.url}/items`, sample);
      expect(answer.status).toBe(201);
      expected.push(((await answer.json()) as { id: number }).id);
    };
    for (let n = 0; n < 100; n += 1) await create();
    await rabbit().kill();
    for (let n = 0; n < 300; n += 1) await create();
    await api.line("Lost the connection to RabbitMQ");
    const restarted = rabbit().start();
    for (let n = 0; n < 100; n += 1) await create();
    await restarted;
    await eventually(() => (new Set(idsIn(logger.stdout)).size === 500 ? true : undefined), "500 different items", 40_000);
    // After the kill an event may come twice, and the repeats come in order as well: the first sightings are the log.
    expect([...new Set(idsIn(logger.stdout))]).toEqual(expected);
    await settled(api.url);
    expect(api.stdout.filter((line) => line.includes('"level":"warn"'))).toHaveLength(1);
  });

  test("the broker is not there at the start: 2xx at once, and the events arrive when it is", async () => {
    await rabbit().stop();
    const api = await startApi({ env });
    const logger = run(["consumers/logger.ts", "--json"], { env });
    for (let n = 1; n <= 50; n += 1) expect((await send("POST", `${api.url}/items`, sample)).status).toBe(201);
    expect(((await (await send("GET", `${api.url}/health/ready`)).json()) as { status: string }).status).toBe("degraded");
    await api.line("Cannot reach RabbitMQ");
    await rabbit().start();
    await logger.lines(/item\.created/, 50, 40_000);
    expect(idsIn(logger.stdout)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(api.stdout.filter((line) => line.includes('"level":"warn"'))).toHaveLength(1);
  });

  test("invariants 1 and 2: the API is killed with -9 under load, twice; each 2xx is in the table, in the log and at the consumer", async () => {
    const logger = await startLogger(["--json"], { env });
    const acknowledged = new Set<number>();
    for (let kills = 0; kills < 2; kills += 1) {
      const api = await startApi({ env });
      const before = acknowledged.size;
      const writers = Array.from({ length: 16 }, async () => {
        for (;;) {
          const answer = await send("POST", `${api.url}/items`, sample).catch(() => undefined);
          if (!answer) return;
          if (answer.status === 201) acknowledged.add(((await answer.json()) as { id: number }).id);
        }
      });
      await eventually(() => (acknowledged.size > before + 500 ? true : undefined), "500 more items");
      await api.stop("SIGKILL");
      await Promise.all(writers);
    }
    const api = await startApi({ env });
    const state = await settled(api.url);
    const stored = new Set<number>();
    for (let after: string | number | null = 0; after !== null; ) {
      const page = (await (await send("GET", `${api.url}/items?limit=200&after=${after}`)).json()) as {
        items: { id: number }[];
        next: string | null;
      };
      for (const { id } of page.items) stored.add(id);
      after = page.next;
    }
    expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
    expect(state.events).toBe(stored.size);
    await eventually(() => (new Set(idsIn(logger.stdout)).size === stored.size ? true : undefined), "every item at the consumer");
    expect([...new Set(idsIn(logger.stdout))]).toEqual([...stored]);
  });

  test("the queue is deleted under a consumer, which declares it again and goes on", async () => {
    const api = await startApi({ env });
    const logger = await startLogger([], { env });
    await (await openChannel()).deleteQueue("item_events");
    await logger.line("The queue was deleted; redeclaring it", "stderr");
    await send("POST", `${api.url}/items`, sample);
    await logger.lines(/^\[CREATED\]/, 1);
  });

  test("the queue is deleted while nobody consumes: an event that nothing would take gets its queue back", async () => {
    const api = await startApi({ env });
    await send("POST", `${api.url}/items`, sample);
    await settled(api.url);
    await (await openChannel()).deleteQueue("item_events");
    await send("POST", `${api.url}/items`, { name: "second" });
    await settled(api.url);
    const consumer = await plainConsumer("item_events");
    await consumer.count(1);
    expect(JSON.parse(String(consumer.messages[0]?.content))).toMatchObject({ item: { name: "second" } });
  });

  test("item_events exists with other arguments: used as it is, and the log names the difference", async () => {
    await (await openChannel()).assertQueue("item_events", { durable: true, arguments: { "x-max-length": 1000 } });
    const api = await startApi({ env });
    const logger = await startLogger([], { env });
    await send("POST", `${api.url}/items`, sample);
    await logger.lines(/^\[CREATED\]/, 1);
    await api.line("x-max-length");
  });

  test("garbage on the queue is kept with a reason, and the events around it are handled", async () => {
    const api = await startApi({ env });
    const logger = await startLogger([], { env });
    const channel = await openChannel();
    for (const body of ["", "\xff\xfe", "{", "[1]", '{"id":"x","type":"item.exploded","version":1,"timestamp":"2026-02-18T18:23:45Z"}']) {
      channel.sendToQueue("item_events", Buffer.from(body, "latin1"));
    }
    await send("POST", `${api.url}/items`, sample);
    await logger.lines(/^\[CREATED\]/, 1);
    const dead = await plainConsumer("item_events.dead");
    await dead.count(5);
    expect(dead.messages.map((message) => (message.properties.headers as Record<string, unknown>)["x-reason"])).toEqual([
      "not-json",
      "not-json",
      "not-json",
      "not-an-event",
      "unknown-type",
    ]);
  });

  test("every connection is closed by the broker: both come back", async () => {
    const api = await startApi({ env });
    const logger = await startLogger([], { env });
    await closeConnections(rabbit());
    await logger.line("Lost the connection", "stderr");
    await send("POST", `${api.url}/items`, sample);
    await logger.lines(/^\[CREATED\]/, 1);
  });

  test("a blocked broker neither slows the API nor keeps it from stopping; nothing is lost", async () => {
    const api = await startApi({ env });
    await rabbit().ctl("set_vm_memory_high_watermark", "0");
    try {
      for (let n = 0; n < 50; n += 1) expect((await send("POST", `${api.url}/items`, sample)).status).toBe(201);
      await api.line("RabbitMQ does not accept messages now");
      expect(await api.stop()).toBe(0);
    } finally {
      await rabbit().ctl("set_vm_memory_high_watermark", "0.6");
    }
    const again = await startApi({ env });
    const logger = await startLogger(["--json"], { env });
    await eventually(() => (new Set(idsIn(logger.stdout)).size === 50 ? true : undefined), "50 items");
    await settled(again.url);
  });

  test("invariant 6: a stop awaits the confirms, and stores how far they came", async () => {
    const api = await startApi({ env });
    await api.line("Connected to RabbitMQ");
    await Promise.all(Array.from({ length: 200 }, () => send("POST", `${api.url}/items`, sample)));
    expect(await api.stop()).toBe(0);
    await rabbit().stop();
    const again = await startApi({ env });
    expect(await (await send("GET", `${again.url}/health/ready`)).json()).toMatchObject({ events: 200, confirmed: 200 });
    expect(await again.stop()).toBe(0);
  });

  test("reports a missing virtual host", async () => {
    const api = await startApi({ env: { ...env, RABBITMQ_URL: `${rabbit().url}/nowhere` } });
    await api.line(/Cannot reach RabbitMQ/);
    await api.line("the virtual host of the URL does not exist, or the user has no access to it");
  });

  test("credentials never appear in a log", async () => {
    const secret = { ...env, RABBITMQ_URL: rabbit().url.replace("guest:guest", "guest:s3cretpassword"), LOG_LEVEL: "trace" };
    const api = await startApi({ env: secret });
    await api.line("Cannot reach RabbitMQ");
    const logger = run(["consumers/logger.ts"], { env: secret });
    await logger.line("Cannot reach RabbitMQ", "stderr");
    await api.stop();
    await logger.stop();
    expect([...api.stdout, ...api.stderr, ...logger.stdout, ...logger.stderr].join("\n")).not.toContain("s3cretpassword");
  });
});

describeWithRabbit("RabbitMQ appears later", () => {
  test("at the default address: what was written without it arrives there", async () => {
    const folder = temporaryFolder();
    const { RABBITMQ_URL: _, ...env } = environment(folder.path);
    // 5672 itself, if it is free; else the same through an address that is given.
    const port = portIsFree(5672) ? 5672 : freePort();
    if (port !== 5672) env["RABBITMQ_URL"] = `amqp://guest:guest@localhost:${port}/`;
    let rabbit: OwnRabbit | undefined;
    try {
      const api = await startApi({ env });
      const embedded = port === 5672 ? await startLogger(["--json"], { env }) : undefined;
      for (let n = 0; n < 20; n += 1) await send("POST", `${api.url}/items`, sample);
      await embedded?.lines(/item\.created/, 20);
      expect(await embedded?.stop()).toBe(embedded && 0);
      rabbit = await startRabbit({ port });
      await api.line("Connected to RabbitMQ");
      await send("POST", `${api.url}/items`, sample);
      const logger = await startLogger(["--json"], { env });
      await logger.lines(/item\.created/, 21);
      expect(idsIn(logger.stdout)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
    } finally {
      await endAll();
      await rabbit?.dispose();
      folder.remove();
    }
  });
});

function idsIn(lines: readonly string[]): number[] {
  return lines.map((line) => (JSON.parse(line) as { item: { id: number } }).item.id);
}

function portIsFree(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}
