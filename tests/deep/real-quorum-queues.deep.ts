// Giving events back on a quorum queue with the delivery limit of RabbitMQ 4, over which RabbitMQ drops them.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { readConfig } from "../../src/config/config";
import type { RabbitmqConfig } from "../../src/config/rabbitmq";
import { startConsumer } from "../../src/consumer/start";
import { buildEvent } from "../../src/consumer/test-consumer";
import type { RunningConsumer } from "../../src/delivery/running";
import { Broker } from "../../src/rabbitmq/connection";
import { RabbitDeadLetters } from "../../src/rabbitmq/dead-letters";
import { declareResources } from "../../src/rabbitmq/topology";
import { temporaryFolder } from "../support/folder";
import type { ItemConsumer } from "../support/item-events";
import { eventually } from "../support/processes";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";
import { recordedLog } from "../support/recorded-log";
import { catalogue } from "../support/resources";

setDefaultTimeout(60_000);

const queue = "item_events";
const limited = { durable: true, arguments: { "x-queue-type": "quorum", "x-delivery-limit": 20 } };

describeWithRabbit("a quorum queue with a delivery limit of 20", () => {
  const rabbit = useRabbit();
  let folder: ReturnType<typeof temporaryFolder>;
  let connection: ChannelModel;
  let channel: ConfirmChannel;
  let running: RunningConsumer[] = [];

  beforeEach(async () => {
    folder = temporaryFolder();
    connection = await connect(rabbit().url);
    channel = await connection.createConfirmChannel();
  });
  afterEach(async () => {
    await Promise.all(running.map((consumer) => consumer.stop()));
    running = [];
    await connection.close();
    folder.remove();
    await emptyBroker(rabbit());
  });

  async function consume(options: ItemConsumer): Promise<RunningConsumer> {
    const config = readConfig({ isTerminal: false, environment: { DATA_DIR: folder.path, RABBITMQ_URL: rabbit().url } });
    const ready = Promise.withResolvers<void>();
    const consumer = await startConsumer({ queue, ...options, onReady: () => ready.resolve() }, config, recordedLog().log);
    running.push(consumer);
    await ready.promise;
    return consumer;
  }

  async function send(count: number): Promise<void> {
    for (let id = 1; id <= count; id += 1) {
      const event = buildEvent("item.created", { id });
      channel.publish("", queue, Buffer.from(JSON.stringify(event)), { messageId: event.id, persistent: true });
    }
    await channel.waitForConfirms();
  }

  const depth = async (name: string) => (await channel.checkQueue(name)).messageCount;

  test("a breaker that opens again and again: each of 40 events is handled", async () => {
    await channel.assertQueue(queue, limited);
    await send(40);
    const handled = new Set<number>();
    let failures = 0;
    const consumer = await consume({
      breaker: { minimum: 1, pauseMs: 20 },
      retry: { attempts: 1000, firstDelayMs: 100, longestDelayMs: 100 },
      handle({ item }) {
        if (failures < 60) {
          failures += 1;
          throw new Error("what is behind the handler is down");
        }
        handled.add(item.id);
      },
    });
    await eventually(() => handled.size === 40 || undefined, "40 events to be handled", 50_000);
    expect(failures).toBe(60);
    await consumer.stop();
    expect(await depth(queue)).toBe(0);
  });

  test("a consumer that is restarted again and again with events in hand: each is handled", async () => {
    await channel.assertQueue(queue, limited);
    await send(40);
    const seen = new Set<number>();
    for (let restart = 1; restart <= 25; restart += 1) {
      const begun = Promise.withResolvers<void>();
      const end = Promise.withResolvers<void>();
      const consumer = await consume({
        handle: async ({ item }) => {
          begun.resolve();
          await end.promise;
          seen.add(item.id);
        },
      });
      await begun.promise;
      const stopped = consumer.stop();
      end.resolve();
      await stopped;
    }
    await consume({ handle: ({ item }) => void seen.add(item.id) });
    await eventually(() => seen.size === 40 || undefined, "40 events to be handled", 50_000);
  });

  test("a consumer that is restarted a few times with events in hand handles them in order", async () => {
    await channel.assertQueue(queue, limited);
    await send(40);
    const begun: number[] = [];
    for (let restart = 1; restart <= 5; restart += 1) {
      const two = Promise.withResolvers<void>();
      const consumer = await consume({
        handle: ({ item }) => {
          begun.push(item.id);
          if (begun.length >= 2 * restart) two.resolve();
        },
        concurrency: 1,
        ratePerSecond: 50,
      });
      await two.promise;
      await consumer.stop();
    }
    await consume({ handle: ({ item }) => void begun.push(item.id) });
    await eventually(() => new Set(begun).size === 40 || undefined, "40 events to be handled", 50_000);
    expect([...new Set(begun)]).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  test("dead letters that are looked at again and again stay", async () => {
    await channel.assertQueue(`${queue}.dead`, limited);
    await channel.assertQueue(queue, { durable: true });
    for (let id = 1; id <= 5; id += 1) {
      channel.publish("", `${queue}.dead`, Buffer.from(JSON.stringify(buildEvent("item.created", { id }))), { messageId: `dead ${id}` });
    }
    await channel.waitForConfirms();
    const broker = await Broker.connect(
      readConfig({ isTerminal: false, environment: { RABBITMQ_URL: rabbit().url } }).rabbitmq as RabbitmqConfig,
      recordedLog().log,
    );
    await eventually(() => broker.state === "connected" || undefined, "the connection");
    const deadLetters = new RabbitDeadLetters(broker, async () => [queue]);
    for (let look = 1; look <= 30; look += 1) {
      const { deadLetters: listed } = await deadLetters.list(queue, {}, 0, 100);
      expect(listed.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5].map((id) => `dead ${id}`));
    }
    await broker.close();
  });

  test("one that Warren declares keeps what RabbitMQ gives up as a dead letter, which can be redriven", async () => {
    const config = readConfig({ isTerminal: false, environment: { RABBITMQ_URL: rabbit().url, QUEUE_TYPE: "quorum" } });
    const broker = await Broker.connect(config.rabbitmq as RabbitmqConfig, recordedLog().log);
    await declareResources(broker, catalogue.resources, recordedLog().log);
    await send(1);
    for (let delivery = 0; ; delivery += 1) {
      const message = await channel.get(queue, { noAck: false });
      if (!message) break;
      expect(delivery).toBeLessThan(110);
      channel.nack(message, false, true);
    }
    const deadLetters = new RabbitDeadLetters(broker, async () => [queue]);
    const [letter] = await eventually(async () => {
      const page = await deadLetters.list(queue, {}, 0, 10);
      return page.deadLetters.length > 0 ? page.deadLetters : undefined;
    }, "the dead letter");
    expect(letter).toMatchObject({
      type: null,
      reason: "delivery_limit",
      error: "RabbitMQ dead-lettered it because of the queue's settings",
    });
    expect(await deadLetters.redrive(queue, {})).toBe(1);
    const handled: number[] = [];
    await consume({ handle: ({ item }) => void handled.push(item.id) });
    await eventually(() => handled.length === 1 || undefined, "the event to be handled");
    await broker.close();
  });
});
