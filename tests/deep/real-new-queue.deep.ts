// The start of a consumer's new queue, without gaps: real processes on both transports.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "amqplib";
import type { Replay } from "../../src/delivery/replays";
import { Replays } from "../../src/delivery/replays";
import { item } from "../../src/domain/item";
import { noTracing } from "../../src/observe/tracing";
import { Broker } from "../../src/rabbitmq/connection";
import { RabbitReplays } from "../../src/rabbitmq/replays";
import { queueDepth } from "../../src/rabbitmq/topology";
import { openSqliteStore } from "../../src/store/sqlite/store";
import { rabbitmqAt } from "../support/broker-config";
import { eventually, send } from "../support/processes";
import { firstTimes, items, upTo } from "../support/queue-consumer";
import { bindingsIn, describeWithRabbit, emptyBroker, useOwnRabbit } from "../support/rabbit";
import { recordedLog } from "../support/recorded-log";
import { requests } from "../support/requests";
import { catalogue } from "../support/resources";
import { seedItems } from "../support/seeded-log";
import { useSystem } from "../support/use-system";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const { api, consumers, folder, runOn } = useSystem();

const { health, replays, relayed, create, finished, filled, writeOn } = requests(() => api.url);

function onEither(rabbitmqUrl: () => string): void {
  runOn(rabbitmqUrl);

  for (const [startFrom, first] of [
    ["beginning", 1],
    ["now", undefined],
    ["2000-01-01T00:00:00.000Z", 1],
    ["in the middle", 3001],
  ] as const) {
    test(`a new queue that starts from ${startFrom} has no gap and is in order, while writes go on`, async () => {
      await seedItems(folder.path, 3000);
      await Bun.sleep(5);
      const middle = new Date().toISOString();
      await Bun.sleep(5);
      await seedItems(folder.path, 3000);
      await api.start();
      if (rabbitmqUrl() !== "none") await relayed();
      const writer = writeOn();
      await writer.until(200);
      const consumer = await consumers.start({ queue: "late", startFrom: startFrom === "in the middle" ? middle : startFrom });
      const ready = (await health()).events;
      for (const fill of await replays()) await finished(fill);
      await writer.until((await health()).events - 6000 + 100);
      const last = 6000 + (await writer.stop());
      await consumer.untilItem(last);
      const seen = items(consumer.seen());
      expect(seen).toEqual(upTo(last, seen[0]));
      if (first !== undefined) expect(seen[0]).toBe(first);
      else expect(seen[0]).toBeGreaterThan(6000);
      expect(seen[0]).toBeLessThanOrEqual(ready + 1);
      expect(consumer.seen().some(({ replay }) => replay)).toBe(false);
    });
  }

  test("a queue that there was before is not filled again, however its consumer says it starts", async () => {
    await api.start();
    const first = await consumers.start({ queue: "late", startFrom: "now" });
    await create(2);
    await first.untilSeen(2);
    expect(await first.stop()).toBe(0);
    await create(2);
    const second = await consumers.start({ queue: "late", startFrom: "beginning" });
    await create(1);
    expect(items(await second.untilSeen(3))).toEqual([3, 4, 5]);
  });
}

describe("a new queue without a broker", () => {
  onEither(() => "none");
});

describeWithRabbit("a new queue on RabbitMQ", () => {
  const rabbit = useOwnRabbit();
  onEither(() => rabbit().url);
  afterEach(() => emptyBroker(rabbit()));

  test("two processes of a new consumer started at once: every event once, to one of them", async () => {
    await seedItems(folder.path, 5000);
    await api.start();
    await relayed();
    const writer = writeOn();
    await writer.until(100);
    const both = [consumers.spawn({ queue: "late" }), consumers.spawn({ queue: "late" })];
    for (const consumer of both) await consumer.line("Receives events", "stderr");
    const [fill, ...others] = await replays();
    expect(others).toEqual([]);
    expect(fill && (await finished(fill))).toMatchObject({ kind: "fill", queue: "late", state: "finished", progress: 1 });
    await writer.until((await health()).events - 5000 + 100);
    const last = 5000 + (await writer.stop());
    const total = () => both.reduce((sum, consumer) => sum + consumer.stdout.length, 0);
    await eventually(() => (total() >= last ? true : undefined), `${last} events`);
    const seen = both.flatMap((consumer) => items(consumer.seen()));
    expect(seen.toSorted((a, b) => a - b)).toEqual(upTo(last));
    for (const consumer of both) {
      const own = items(consumer.seen());
      expect(own).toEqual(own.toSorted((a, b) => a - b));
    }
    expect(await replays()).toHaveLength(1);
  });

  test("a binding that RabbitMQ has forgotten, as when it is killed a moment after it, is there again before events are sent", async () => {
    await api.start();
    const consumer = await consumers.start({ queue: "late" });
    await create(5);
    await consumer.untilItem(5);
    await consumer.stop();
    await filled();
    await api.stop();
    const connection = await connect(rabbit().url);
    const channel = await connection.createChannel();
    await channel.unbindQueue("late", "events", "item.created");
    await api.start();
    await create(3);
    await relayed();
    expect((await channel.checkQueue("late")).messageCount).toBe(3);
    await connection.close();
  });

  test("kill -9 of the API in the middle of a fill: no gap, and in order", async () => {
    await seedItems(folder.path, 8000);
    await api.start();
    await relayed();
    const consumer = await consumers.start({ queue: "late" });
    await consumer.untilSeen(500);
    await api.stop("SIGKILL");
    await api.start();
    expect((await replays())[0]?.state).toBe("running");
    await create(50);
    await consumer.untilItem(8050);
    expect(firstTimes(consumer.seen())).toHaveLength(8050);
    const firsts = [...new Set(items(consumer.seen()))];
    expect(firsts).toEqual(upTo(8050));
  });

  test("a consumer that asks for more types while its queue is filled gets them from the end of the fill on", async () => {
    // So many that the second consumer starts long before the last is sent.
    await seedItems(folder.path, 40_000);
    await api.start();
    await relayed();
    const first = await consumers.start({ queue: "late", events: ["item.created"] });
    await first.untilSeen(500);
    await first.stop();
    const second = await consumers.start({ queue: "late", events: ["item.created", "item.updated"] });
    const [fill] = await replays();
    expect(fill).toMatchObject({ kind: "fill", state: "running" });
    await finished(fill as Replay);
    await send("PATCH", `${api.url}/items/7`, { price: 1 });
    await second.line('"type":"item.updated"');
    expect(new Set(items([...first.seen(), ...second.seen()])).size).toBe(40_000);
  }, 180_000);

  test("kill -9 of RabbitMQ in the middle of a fill: no gap, and in order", async () => {
    await seedItems(folder.path, 8000);
    await api.start();
    await relayed();
    const consumer = await consumers.start({ queue: "late" });
    await consumer.untilSeen(500);
    await rabbit().kill();
    await create(50);
    await rabbit().start();
    await consumer.untilItem(8050);
    const firsts = [...new Set(items(consumer.seen()))];
    expect(firsts).toEqual(upTo(8050));
  });

  test.each([
    ["with the past on its way to it", "item.created", 3],
    ["with the past in it, before it is bound to the present", "item.deleted", 0],
  ])("that is deleted %s is made again, filled and bound", async (_, type, past) => {
    const log = recordedLog().log;
    const store = openSqliteStore(`${folder.path}/warren.db`, catalogue.resources);
    for (let id = 1; id <= 3; id += 1) await store.insert(item, { name: "thing", description: null, price: null });
    const broker = await Broker.connect(rabbitmqAt(rabbit().url), log);
    let deletions = 0;
    const relay = {
      position: async () => 3,
      async whilePaused(work: (position: number) => Promise<void>): Promise<void> {
        if (deletions < 1) {
          deletions += 1;
          await broker.withChannel((channel) => channel.deleteQueue("late"));
        }
        await work(3);
      },
    };
    const filling = new RabbitReplays({
      broker,
      store,
      relay,
      catalogue,
      log,
      tracing: noTracing,
      hasLimit: async () => false,
      quarantine: `${folder.path}/quarantine`,
    });
    const stop = new AbortController();
    const ended = store.lead("relay", stop.signal, (leadership) => filling.run(leadership));
    try {
      await filling.fill("late", [type], "beginning");
      const [fill] = await eventually(async () => {
        const all = await new Replays(filling).list(10);
        return all.every(({ state }) => state !== "running") ? all : undefined;
      }, "the fill to end");
      expect(fill).toMatchObject({ state: "finished", sent: past, error: null });
      expect([deletions, await queueDepth(broker, "late")]).toEqual([1, past]);
      expect(await bindingsIn(rabbit())).toContain(`events late ${type}`);
    } finally {
      stop.abort();
      await ended;
      await broker.close();
      await store.close();
    }
  });
});
