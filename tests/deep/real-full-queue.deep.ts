// A queue that refuses events when it is full, beside one that does not.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { readConfig } from "../../src/config/config";
import { startConsumer } from "../../src/consumer/start";
import { item } from "../../src/domain/item";
import { type Engine, startEngine } from "../../src/engine/engine";
import { temporaryFolder } from "../support/folder";
import { eventually } from "../support/processes";
import { closeConnections, describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";
import { recordedLog } from "../support/recorded-log";
import { catalogue } from "../support/resources";
import { readScrape } from "../support/scrape";

setDefaultTimeout(60_000);

const full = { durable: true, arguments: { "x-max-length": 5, "x-overflow": "reject-publish" } };

describeWithRabbit("a queue that refuses events when it is full", () => {
  const rabbit = useRabbit();
  let folder: ReturnType<typeof temporaryFolder>;
  let connection: ChannelModel;
  let channel: Channel;
  let engine: Engine;
  let log: ReturnType<typeof recordedLog>;

  beforeEach(async () => {
    folder = temporaryFolder();
    log = recordedLog();
    await reconnect();
  });
  afterEach(async () => {
    await engine.stop();
    await connection.close();
    folder.remove();
    await emptyBroker(rabbit());
  });

  async function reconnect(): Promise<void> {
    connection = await connect(rabbit().url);
    connection.on("error", () => {});
    channel = await connection.createChannel();
    channel.on("error", () => {});
  }
  async function start(): Promise<void> {
    const environment = { DATABASE_URL: `sqlite:${folder.path}/warren.db`, RABBITMQ_URL: rabbit().url };
    engine = await startEngine(readConfig({ isTerminal: false, environment }), catalogue, log.log);
  }
  async function create(count: number): Promise<void> {
    const { system: store } = engine.dependencies;
    for (let n = 1; n <= count; n += 1) await store.insert(item, { name: `item ${n}`, description: null, price: null });
  }
  /** Counts how often each item comes to a queue that takes everything. */
  async function watched(queue: string): Promise<Map<number, number>> {
    const times = new Map<number, number>();
    await channel.assertQueue(queue, { durable: true });
    await channel.assertExchange("events", "topic", { durable: true });
    await channel.bindQueue(queue, "events", "item.*");
    await channel.consume(queue, (message) => {
      if (!message) return;
      const { id } = JSON.parse(message.content.toString()).item as { id: number };
      times.set(id, (times.get(id) ?? 0) + 1);
      channel.ack(message);
    });
    return times;
  }
  const problems = async () => (await engine.dependencies.relay()).problems;
  const refusing = () =>
    eventually(async () => (await problems()).find((problem) => problem.includes("refuses events")), "a queue that refuses");

  for (const [name, queue, shared] of [
    ["the queue of a resource", "item_events", true],
    ["a consumer's own queue", "own", true],
    ["a queue that another program has bound", "foreign", false],
  ] as const) {
    test(`${name}: the others get at most one duplicate of an event, and it gets all, in order`, async () => {
      const others = await watched("other");
      await channel.assertQueue(queue, full);
      if (queue !== "item_events") await channel.bindQueue(queue, "events", "item.*");
      await start();
      if (queue === "own") {
        // Known before the first event is sent, as after an announcement.
        await engine.dependencies.system.subscriptions.save({ queue, types: item.eventTypes, announcedAt: Date.now(), signedAt: null });
        await engine.stop();
        await start();
      }
      await create(50);
      const problem = await refusing();
      if (shared)
        expect(problem).toBe(
          `"${queue}" refuses events, and the events of all queues wait for it: it is full (x-max-length 5, x-overflow reject-publish).`,
        );
      else expect(problem).toStartWith("An unknown queue refuses events");
      expect(log.lines.filter(({ msg }) => msg === "A queue refuses events; waiting until it accepts them")).toHaveLength(1);
      const received: number[] = [];
      await channel.prefetch(1);
      await channel.consume(queue, (message) => {
        if (!message) return;
        received.push((JSON.parse(message.content.toString()) as { item: { id: number } }).item.id);
        channel.ack(message);
      });
      await eventually(async () => (await engine.dependencies.relay()).position === 50 || undefined, "all events to be confirmed", 50_000);
      await eventually(() => received.length >= 50 || undefined, "50 events");
      expect([...new Set(received)]).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
      await eventually(() => others.size === 50 || undefined, "50 events at the other queue");
      const repeated = [...others.values()].map((times) => times - 1);
      if (shared) expect(Math.max(...repeated)).toBeLessThanOrEqual(1);
      else expect(repeated.filter((times) => times > 1).length).toBeLessThanOrEqual(1);
      await eventually(async () => (await problems()).length === 0 || undefined, "no problem any more");
    });
  }

  test("a replay to such a queue goes on in order while its consumer catches up", async () => {
    await start();
    await create(50);
    await eventually(async () => (await engine.dependencies.relay()).position === 50 || undefined, "all events to be confirmed");
    await channel.assertQueue("small", full);
    const selection = { types: null, subject: null, from: null, to: null, rate: null, force: false };
    const { id } = await engine.dependencies.replays.start("small", selection);
    const refused = 'The queue "small" refuses events, such as when it is full';
    await eventually(() => log.lines.find(({ error }) => error === refused), "the queue to refuse an event");
    const received: number[] = [];
    await channel.prefetch(1);
    await channel.consume("small", (message) => {
      if (!message) return;
      received.push((JSON.parse(message.content.toString()) as { item: { id: number } }).item.id);
      channel.ack(message);
    });
    await eventually(
      async () => (await engine.dependencies.replays.get(id))?.state === "finished" || undefined,
      "the replay to finish",
      50_000,
    );
    await eventually(() => received.length >= 50 || undefined, "50 events");
    expect(received).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
  });

  test("is still named after the connection was lost", async () => {
    await channel.assertQueue("item_events", full);
    await start();
    await create(10);
    const problem = await refusing();
    const refusals = async () =>
      readScrape(await engine.dependencies.metrics.render()).value("warren_relay_failures_total") ?? expect.unreachable();
    const before = await refusals();
    await closeConnections(rabbit());
    await reconnect();
    await eventually(async () => (await refusals()) > before || undefined, "a refusal on the new channel");
    expect([await problems(), (await engine.dependencies.system.relayTrouble.get())?.what]).toEqual([[problem], problem]);
    expect(log.lines.filter(({ msg }) => msg === "The queue accepts events again")).toEqual([]);
    await channel.consume("item_events", (message) => message && channel.ack(message));
    await eventually(async () => (await problems()).length === 0 || undefined, "no problem any more");
    await eventually(
      async () => (await engine.dependencies.system.relayTrouble.get()) === null || undefined,
      "the trouble to be forgotten",
    );
  });

  test("a new queue that starts from now gets nothing that was committed before, and not yet sent", async () => {
    await channel.assertQueue("item_events", full);
    await start();
    await create(50);
    await refusing();
    const config = readConfig({
      isTerminal: false,
      environment: { DATABASE_URL: `sqlite:${folder.path}/warren.db`, RABBITMQ_URL: rabbit().url },
    });
    const seen: number[] = [];
    const ready = Promise.withResolvers<unknown>();
    const late = await startConsumer(
      { queue: "late", events: ["item.*"], startFrom: "now", onReady: ready.resolve, handle: ({ item }) => void seen.push(item.id) },
      config,
      log.log,
    );
    await ready.promise;
    await create(5);
    expect(seen).toEqual([]);
    await channel.consume("item_events", (message) => message && channel.ack(message));
    await eventually(() => seen.length >= 5 || undefined, "the five events");
    await eventually(async () => (await engine.dependencies.relay()).position === 55 || undefined, "all events to be confirmed");
    await create(1);
    await eventually(() => seen.includes(56) || undefined, "an event that comes later");
    expect(seen).toEqual([51, 52, 53, 54, 55, 56]);
    await late.stop();
  });
});
