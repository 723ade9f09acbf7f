// Consumers with a schedule on each transport and engine: each time is handled by its own consumer, once, whoever is there.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { ConsumerError, type ConsumerOptions } from "warren/consumer";
import { type Config, readConfig } from "../src/config/config";
import { startConsumer } from "../src/consumer/start";
import type { RunningConsumer } from "../src/delivery/running";
import { type Engine, startEngine } from "../src/engine/engine";
import { loadCatalogue } from "../src/project/resources";
import { consumerStores } from "../src/store/open";
import { type ClockControl, controlClock, now } from "../src/timing/clock";
import { environmentOf, forEachEngine, type Places } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { eventually } from "./support/processes";
import { describeWithRabbit, emptyBroker, messagesIn, useRabbit } from "./support/rabbit";
import { recordedLog } from "./support/recorded-log";

const hour = 3_600_000;

/** @param lose loses a queue with all that is in it. */
function schedulesOn(
  placesIn: (folder: string) => Places,
  rabbitmqUrl: () => string,
  lose: (config: Config, queue: string) => Promise<void>,
): void {
  let folder: ReturnType<typeof temporaryFolder>;
  let config: Config;
  let clock: ClockControl;
  let noted: string[];
  const engines: Engine[] = [];
  const consumers: RunningConsumer[] = [];
  const { log } = recordedLog();

  beforeEach(() => {
    folder = temporaryFolder();
    config = readConfig({ isTerminal: false, environment: environmentOf(placesIn(folder.path), rabbitmqUrl()) });
    clock = controlClock();
    noted = [];
    // To the beginning of an hour.
    clock.move(hour - (now() % hour) + 1);
  });
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
    await Promise.all(engines.splice(0).map((engine) => engine.stop()));
    clock.release();
    folder.remove();
  });

  const serve = async () => {
    const engine = await startEngine(config, await loadCatalogue(), log);
    engines.push(engine);
    return engine;
  };
  const consume = async (options: ConsumerOptions) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const consumer = await startConsumer({ ...options, onReady: resolve }, config, log);
    consumers.push(consumer);
    await promise;
    return consumer;
  };
  const hourly = (
    queue: string,
    options: Partial<Extract<ConsumerOptions, { schedule: string; exactlyOnce?: false }>> = {},
  ): ConsumerOptions => ({
    queue,
    schedule: "0 * * * *",
    handle: ({ schedule }) => void noted.push(`${schedule.name} ${schedule.dueAt.slice(11, 16)}`),
    ...options,
  });
  const times = async (count: number) => {
    await eventually(() => noted.length >= count || undefined, `${count} calls`);
    return noted;
  };
  const idle = (engine: Engine) =>
    eventually(
      async () => (await engine.dependencies.system.schedules.list()).every(({ isDone, dueAt }) => isDone && dueAt === null) || undefined,
      "rest",
    );
  const at = (hours: number) => new Date(Math.floor(now() / hour) * hour + hours * hour).toISOString().slice(11, 16);

  test("each time goes to its own queue only, once, also with a second consumer", async () => {
    const engine = await serve();
    await consume(hourly("first"));
    const second = startConsumer(hourly("first"), config, log);
    consumers.push(await second);
    await consume(hourly("other", { schedule: "0 */2 * * *" }));
    const expected: string[] = [];
    for (let hours = 0; hours < 4; hours += 1) {
      clock.move(hour);
      const time = at(0);
      expected.push(`first ${time}`, ...(Number(time.slice(0, 2)) % 2 === 0 ? [`other ${time}`] : []));
      await times(expected.length);
      await idle(engine);
    }
    expect(noted.toSorted()).toEqual(expected.toSorted());
  });

  test("retries and dead letters as any event, then the next time; the timeline has its queue only", async () => {
    const engine = await serve();
    let fails = true;
    const handle = () => {
      noted.push("call");
      if (fails) throw new Error("Nobody answers");
    };
    await consume(hourly("report", { retry: { attempts: 2, firstDelayMs: 100 }, handle }));
    await consume(hourly("other", { schedule: "@yearly" }));
    clock.move(hour);
    const { deadLetters, system, timeline } = engine.dependencies;
    const [letter] = await eventually(async () => {
      clock.move(1000);
      const known = (await deadLetters.queues()).some(({ queue, count }) => queue === "report" && count > 0);
      return known ? (await deadLetters.list("report", {}, 0, 10)).deadLetters : undefined;
    }, "the dead letter");
    expect(letter).toMatchObject({ type: "schedule.due", reason: "attempts-exhausted", attempts: 2 });
    await idle(engine);
    const event = await timeline(letter?.id ?? "");
    expect(event?.consumers.map(({ queue, state }) => [queue, state])).toEqual([["report", "dead-letter"]]);
    fails = false;
    clock.move(hour);
    await times(3);
    await idle(engine);
    expect((await system.schedules.find("report"))?.lastTick).not.toBe(letter?.id ?? "");
  });

  test("its queue, or its file, is gone with an event that nobody has handled: it gets that again, and goes on", async () => {
    const engine = await serve();
    const first = await consume(hourly("gone"));
    await first.stop();
    clock.move(hour);
    const { schedules } = engine.dependencies.system;
    await eventually(async () => (await schedules.find("gone"))?.lastTick ?? undefined, "the event");
    // The loss also interrupts what fills the new queue, which may then get the event twice: at least once is what is promised.
    const handled = new Set<string>();
    await lose(config, "gone");
    await consume(hourly("gone", { handle: ({ id }) => void handled.add(id) }));
    await eventually(() => handled.size === 1 || undefined, "the event again");
    await idle(engine);
    clock.move(hour);
    await eventually(() => handled.size === 2 || undefined, "the next one");
  });

  test("the API is away when the handler is done: it is noted when it is there again, and what was missed is made up for once", async () => {
    const engine = await serve();
    const { promise: handling, resolve: begin } = Promise.withResolvers<void>();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const handle = async () => {
      noted.push("call");
      begin();
      await mayEnd;
    };
    await consume(hourly("slow", { handle, handlerTimeoutMs: 60_000 }));
    clock.move(hour);
    await handling;
    engines.splice(0);
    await engine.stop();
    end();
    clock.move(3 * hour);
    const again = await serve();
    await times(2);
    await idle(again);
    expect(noted).toHaveLength(2);
    const ticks = (await again.dependencies.system.log.read(0, 100)).filter(({ type }) => type === "schedule.due");
    expect(ticks).toHaveLength(2);
  });
}

async function loseStore(config: Config, queue: string): Promise<void> {
  const stores = consumerStores(config);
  expect(await stores.remove(queue)).toBe(true);
  await stores.close();
}

forEachEngine((placesIn, { isInFull }) => {
  describe("without RabbitMQ", () => schedulesOn(placesIn, () => "none", loseStore));
  if (!isInFull) return;
  describeWithRabbit("on RabbitMQ", () => {
    const rabbit = useRabbit();
    afterEach(() => emptyBroker(rabbit()));
    schedulesOn(
      placesIn,
      () => rabbit().url,
      async (_, queue) => {
        await eventually(async () => (await messagesIn(rabbit()))[queue] === 1 || undefined, "the message");
        await emptyBroker(rabbit());
      },
    );
  });
});

test("a schedule that is wrong is refused at the start", async () => {
  const folder = temporaryFolder();
  const config = readConfig({
    isTerminal: false,
    environment: { DATA_DIR: folder.path, DATABASE_URL: `sqlite:${folder.path}/warren.db`, RABBITMQ_URL: "none" },
  });
  const started = startConsumer({ queue: "q", schedule: "0 25 * * *", handle() {} }, config, recordedLog().log);
  expect(started).rejects.toBeInstanceOf(ConsumerError);
  await started.catch(() => {});
  folder.remove();
});
