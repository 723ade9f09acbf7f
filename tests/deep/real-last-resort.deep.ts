// One message never holds up the rest: messages that cannot be read, copied or decoded, on a real RabbitMQ.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "amqplib";
import { Reject } from "warren/consumer";

import { readConfig } from "../../src/config/config";
import { startConsumer } from "../../src/consumer/start";
import type { RunningConsumer } from "../../src/delivery/running";
import { item } from "../../src/domain/item";
import { type Engine, startEngine } from "../../src/engine/engine";
import { loadCatalogue } from "../../src/project/resources";
import { quarantined, quarantineFolder } from "../../src/rabbitmq/quarantine";
import { temporaryFolder } from "../support/folder";
import type { ItemConsumer } from "../support/item-events";
import { eventually } from "../support/processes";
import { describeWithRabbit, emptyBroker, useOwnRabbit, whileAllowing } from "../support/rabbit";
import { nestedTable, type RawProperties, sendRaw } from "../support/raw-message";
import { recordedLog } from "../support/recorded-log";

setDefaultTimeout(60_000);

const notUtf8 = Buffer.alloc(200, 0xff);
const unsignedLong = Buffer.concat([Buffer.from("\x01aL", "latin1"), Buffer.alloc(8, 0xff)]);
/** Messages that RabbitMQ takes, and that amqplib cannot decode, or cannot encode again. */
const poisons: [string, RawProperties][] = [
  ["a time that does not fit", { timestamp: 2n ** 64n - 1n }],
  ["an id that is not UTF-8", { messageId: notUtf8 }],
  ["headers nested 15,000 deep", { headers: nestedTable(15_000) }],
  ["headers nested 3,000 deep", { headers: nestedTable(3000) }],
  ["a header of a type that amqplib does not know", { headers: unsignedLong }],
];

describeWithRabbit("a message that cannot be copied", () => {
  const rabbit = useOwnRabbit();
  let folder: ReturnType<typeof temporaryFolder>;
  let recorded: ReturnType<typeof recordedLog>;
  let service: Engine;
  let consumers: RunningConsumer[] = [];

  beforeEach(async () => {
    folder = temporaryFolder();
    recorded = recordedLog();
    service = await startEngine(configOf(), await loadCatalogue(), recorded.log);
  });
  afterEach(async () => {
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    consumers = [];
    await service.stop();
    folder.remove();
    await emptyBroker(rabbit());
  });

  const configOf = (query = "") =>
    readConfig({
      isTerminal: false,
      environment: { DATABASE_URL: `sqlite:${join(folder.path, "warren.db")}`, RABBITMQ_URL: `${rabbit().url}${query}` },
    });
  async function start(options: ItemConsumer, query?: string): Promise<RunningConsumer> {
    const ready = Promise.withResolvers<void>();
    const consumer = await startConsumer({ ...options, onReady: () => ready.resolve() }, configOf(query), recorded.log);
    consumers.push(consumer);
    await ready.promise;
    return consumer;
  }
  const create = (name: string) => service.dependencies.system.insert(item, { name, description: null, price: null });
  const { list, redrive, discard } = {
    list: (limit = 200) => service.dependencies.deadLetters.list("own", {}, 0, limit),
    redrive: () => service.dependencies.deadLetters.redrive("own", {}),
    discard: () => service.dependencies.deadLetters.discard("own", {}),
  };
  const firstBody = async () => (await service.dependencies.system.log.read(0, 1))[0]?.body ?? "";
  const untilDead = (count: number) =>
    eventually(async () => {
      const { deadLetters } = await list();
      return deadLetters.length >= count ? deadLetters : undefined;
    }, `${count} dead letters`);
  const lost = () => recorded.lines.filter(({ msg }) => /^(Lost the connection|RabbitMQ closed a channel)/.test(String(msg)));

  test.each(poisons)("%s: 64 of them fill the prefetch, and the events behind are delivered", async (_, properties) => {
    const handled: string[] = [];
    const consumer = await start({ queue: "own", handle: (event) => void handled.push(event.item.name) });
    await sendRaw(
      rabbit().url,
      "own",
      Array.from({ length: 64 }, () => ({ ...properties, body: "not JSON" })),
    );
    await create("behind");
    await eventually(() => handled.includes("behind") || undefined, "the event behind");
    const letters = await untilDead(64);
    expect(new Set(letters.map(({ reason, body }) => `${reason} ${body}`))).toEqual(new Set(["not-json not JSON"]));
    expect(lost()).toEqual([]);
    expect(consumer.broker?.reconnects).toBe(0);

    // And back, and there again.
    expect(await redrive()).toBe(64);
    await eventually(() => consumer.counts.deadLettered === 128 || undefined, "the second round");
    await untilDead(64);
    expect(await discard()).toBe(64);
    expect((await list()).deadLetters).toEqual([]);
  });

  test.each(poisons)("%s: an event with it is handled like any other", async (_, properties) => {
    const attempts: number[] = [];
    await start({
      queue: "own",
      retry: { attempts: 3, firstDelayMs: 20, longestDelayMs: 20 },
      handle: (_, { attempt }) => {
        attempts.push(attempt);
        if (attempt < 3) throw new Error("no");
      },
    });
    await create("first");
    await eventually(() => attempts.length === 3 || undefined, "the event of the service");
    const body = await firstBody();
    await sendRaw(rabbit().url, "own", [{ ...properties, body }]);
    await eventually(() => attempts.length === 6 || undefined, "three attempts");
    expect(attempts.slice(3)).toEqual([1, 2, 3]);
    expect(lost()).toEqual([]);
  });

  test("among the dead letters it hinders neither a list of the others, nor their redrive, nor the end of them", async () => {
    let fails = true;
    const handled: string[] = [];
    await start({
      queue: "own",
      handle: ({ item: { name } }) => {
        if (fails) throw new Reject("no");
        handled.push(name);
      },
    });
    await create("a");
    await untilDead(1);
    for (const [name, properties] of poisons) await sendRaw(rabbit().url, "own.dead", [{ ...properties, body: name }]);
    await create("b");
    const letters = await untilDead(2 + poisons.length);
    expect(letters.slice(1, -1).map(({ body }) => body)).toEqual(poisons.map(([name]) => name));
    for (let after: number | null = 0, seen = 0; after !== null; seen += 1) {
      const page = await service.dependencies.deadLetters.list("own", {}, after, 1);
      expect(page.deadLetters[0]?.body).toEqual(letters[seen]?.body);
      after = page.next;
    }
    fails = false;
    expect(await redrive()).toBe(2 + poisons.length);
    await eventually(() => handled.length === 2 || undefined, "both events");
    expect(await untilDead(poisons.length)).toHaveLength(poisons.length);
    expect(await discard()).toBe(poisons.length);
    expect(lost()).toEqual([]);
  });

  test("a small frame: an error of 4,900 characters of three bytes is cut to fit, for retries and dead letters", async () => {
    const consumer = await start(
      {
        queue: "own",
        retry: { attempts: 2, firstDelayMs: 20, longestDelayMs: 20 },
        handle: () => {
          throw new Error("漢".repeat(4900));
        },
      },
      "?frameMax=8192",
    );
    await create("a");
    const [letter] = await untilDead(1);
    expect(letter).toMatchObject({ reason: "attempts-exhausted", attempts: 2, error: expect.stringMatching(/^Error: 漢{600,}/) as string });
    expect(consumer.broker?.reconnects).toBe(0);
    expect(lost()).toEqual([]);
  });

  test("a frame that is as small as AMQP allows takes what a message came with, and the error", async () => {
    await start(
      {
        queue: "own",
        handle: () => {
          throw new Reject("漢".repeat(4900));
        },
      },
      "?frameMax=4096",
    );
    const publisher = await connect(rabbit().url);
    const channel = await publisher.createConfirmChannel();
    await create("a");
    await untilDead(1);
    const body = await firstBody();
    channel.sendToQueue("own", Buffer.from(body), { messageId: "b", headers: { mine: "x".repeat(50_000) } });
    channel.sendToQueue("own", Buffer.from(body), {
      messageId: "c",
      correlationId: "c".repeat(255),
      appId: "d".repeat(255),
      type: "t".repeat(255),
    });
    await channel.waitForConfirms();
    await publisher.close();
    const letters = await untilDead(3);
    expect(letters.map(({ id }) => id).slice(1)).toEqual(["b", "c"]);
    expect(lost()).toEqual([]);
  });

  const withDescription = (body: string) => body.replace('"description":null', `"description":"${"y".repeat(100)}"`);

  test("over which RabbitMQ closes the channel twice is kept in a file, and the events behind are handled", async () => {
    const handled: string[] = [];
    const options: ItemConsumer = {
      queue: "own",
      handle: ({ item: { name, description } }) => {
        if (description) throw new Reject("no such shelf");
        handled.push(name);
      },
    };
    const first = await start(options);
    await create("first");
    await eventually(() => handled.length === 1 || undefined, "the first event");
    await first.stop();
    const body = await firstBody();
    const large = withDescription(body);
    await sendRaw(rabbit().url, "own", [{ body: large }]);
    // What came in when larger messages were allowed cannot be copied any more.
    await whileAllowing(rabbit(), Buffer.byteLength(body) + 20, async () => {
      await start(options);
      await create("behind");
      await eventually(() => handled.includes("behind") || undefined, "the event behind");
      const quarantine = quarantineFolder(configOf().dataDir);
      await eventually(() => quarantined(quarantine).length === 1 || undefined, "the file");
      expect(quarantined(quarantine)).toMatchObject([{ queue: "own", messages: 1 }]);
      const line = recorded.lines.find(({ msg }) => msg === "No queue accepts this message; keeping it in a file");
      const file = JSON.parse(readFileSync(String(line?.["file"]), "utf8")) as Record<string, unknown>;
      expect(file).toMatchObject({ queue: "own", reason: "rejected", body: large, why: expect.stringContaining("twice") as string });
    });
  });

  test("over which RabbitMQ closes the channel stays a dead letter, and the others are redriven", async () => {
    let fails = true;
    const consumer = await start({
      queue: "own",
      handle: () => {
        if (fails) throw new Reject("no");
      },
    });
    await create("a");
    await untilDead(1);
    const body = await firstBody();
    await sendRaw(rabbit().url, "own.dead", [{ body: withDescription(body) }, { body }, { body }]);
    await untilDead(4);
    fails = false;
    await whileAllowing(rabbit(), Buffer.byteLength(body) + 20, async () => {
      expect(await redrive()).toBeGreaterThanOrEqual(3);
      await eventually(() => consumer.counts.handled >= 3 || undefined, "the others");
      const { deadLetters } = await list();
      expect(deadLetters.map(({ body }) => (body as { item: { description: string } }).item.description)).toEqual(["y".repeat(100)]);
    });
    expect(await redrive()).toBe(1);
  });
});
