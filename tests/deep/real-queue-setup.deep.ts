// Queues and exchanges that exist, set up by somebody else.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { type ChannelModel, connect, type Options } from "amqplib";
import { readConfig } from "../../src/config/config";
import { healthOf } from "../../src/consumer/health";
import { startConsumer } from "../../src/consumer/start";
import type { RunningConsumer } from "../../src/delivery/running";
import { item } from "../../src/domain/item";
import { type Engine, startEngine } from "../../src/engine/engine";
import { temporaryFolder } from "../support/folder";
import { freePort } from "../support/net";
import { environment, eventually, root, run } from "../support/processes";
import { describeWithRabbit, emptyBroker, type OwnRabbit, startRabbit } from "../support/rabbit";
import { recordedLog } from "../support/recorded-log";
import { catalogue } from "../support/resources";

setDefaultTimeout(90_000);

const queue = "item_events";
const quorum = { "x-queue-type": "quorum", "x-delivery-limit": 20 };

describeWithRabbit("a queue that exists", () => {
  let rabbit: OwnRabbit;
  const managementPort = freePort();
  const managementUrl = `http://guest:guest@127.0.0.1:${managementPort}`;
  let folder: ReturnType<typeof temporaryFolder>;
  let connection: ChannelModel;
  let engine: Engine | undefined;
  let running: RunningConsumer[] = [];
  let log: ReturnType<typeof recordedLog>;

  beforeAll(async () => {
    rabbit = await startRabbit({ managementPort });
  });
  afterAll(() => rabbit?.dispose());
  beforeEach(async () => {
    folder = temporaryFolder();
    log = recordedLog();
    connection = await connect(rabbit.url);
  });
  afterEach(async () => {
    await engine?.stop();
    engine = undefined;
    await Promise.all(running.map((consumer) => consumer.stop()));
    running = [];
    await connection.close();
    folder.remove();
    await emptyBroker(rabbit);
  });

  const config = (more: Record<string, string> = {}) =>
    readConfig({ isTerminal: false, environment: { DATABASE_URL: `sqlite:${folder.path}/warren.db`, RABBITMQ_URL: rabbit.url, ...more } });
  async function declare(options: Options.AssertQueue): Promise<void> {
    await (await connection.createChannel()).assertQueue(queue, options);
  }
  const start = async (more?: Record<string, string>) => {
    engine = await startEngine(config(more), catalogue, log.log);
    const { relay } = engine.dependencies;
    return (count: number) =>
      eventually(async () => {
        const { problems } = await relay();
        return problems.length === count ? problems : undefined;
      }, `${count} problems`);
  };
  async function consume(more?: Record<string, string>): Promise<RunningConsumer> {
    const consumer = await startConsumer({ queue, events: ["item.*"], handle() {} }, config(more), log.log);
    running.push(consumer);
    return consumer;
  }

  /** The management API shows a new policy with the queue's next statistics. */
  const policyShows = (key: string) =>
    eventually(async () => {
      const queues = await fetch(`http://127.0.0.1:${managementPort}/api/queues`, {
        headers: { authorization: `Basic ${btoa("guest:guest")}` },
      });
      return (await queues.text()).includes(`"${key}"`) || undefined;
    }, `the policy's ${key}`);

  test.each<[Options.AssertQueue, RegExp]>([
    [{ durable: false }, /it is not durable, so it disappears when RabbitMQ restarts \(durable\)/],
    [{ durable: true, autoDelete: true }, /it is deleted when its last consumer stops \(auto_delete\)/],
    [{ durable: true, arguments: { "x-max-length": 5 } }, /beyond 5 events, the oldest are dropped \(x-max-length\)/],
    [{ durable: true, arguments: { "x-max-length-bytes": 5_000_000_000 } }, /beyond 5000000000 bytes/],
    [{ durable: true, arguments: { "x-message-ttl": 100_000 } }, /events that have waited for 100000 ms are dropped \(x-message-ttl\)/],
    [{ durable: true, arguments: { "x-expires": 100_000 } }, /it is deleted when it has been unused for 100000 ms/],
    [{ durable: true, arguments: quorum }, /delivered more than 20 times without an acknowledgement is dropped \(x-delivery-limit\)/],
    [{ durable: true, arguments: { "x-queue-type": "stream" } }, /it is a stream/],
  ])("set up as %j is named as one that drops events", async (options, what) => {
    await declare(options);
    const problems = await (await start())(1);
    expect(problems[0]).toStartWith('"item_events" drops events: ');
    expect(problems[0]).toMatch(what);
    expect(log.at("warn")).toContain(problems[0] as string);
  });

  test("the dead letters of a queue are looked at, too", async () => {
    const channel = await connection.createChannel();
    await channel.assertQueue(`${queue}.dead`, { durable: true, arguments: { "x-message-ttl": 100_000 } });
    const [problem] = await (await start())(1);
    expect(problem).toBe('"item_events.dead" drops events: events that have waited for 100000 ms are dropped (x-message-ttl).');
  });

  test("with several such arguments: each is named, by its consumer, too, and once", async () => {
    await declare({ durable: false, autoDelete: true, arguments: { "x-max-length": 5, "x-message-ttl": 100_000 } });
    const problems = await (await start())(4);
    const consumer = await consume();
    await eventually(() => consumer.stage() === "consuming" || undefined, "the consumer");
    const health = healthOf(consumer);
    expect([health.status, health.detail]).toEqual(["degraded", problems.join(" ")]);
    for (const problem of problems) expect(log.at("warn").filter((line) => line === problem)).toHaveLength(2);
  });

  test("status has a line for what drops events, and names a queue that refuses them", async () => {
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { durable: true, arguments: { "x-max-length": 1, "x-overflow": "reject-publish" } });
    await channel.assertQueue("own", { durable: true, arguments: { "x-message-ttl": 100_000 } });
    await start();
    for (const name of ["first", "second"]) {
      await engine?.dependencies.system.insert(item, { name, description: null, price: null });
    }
    await engine?.dependencies.system.subscriptions.save({ queue: "own", types: item.eventTypes, announcedAt: Date.now(), signedAt: null });
    await eventually(async () => (await engine?.dependencies.system.relayTrouble.get()) ?? undefined, "the refusal to be stored");
    const env = { ...environment(folder.path, rabbit.url), DATABASE_URL: `sqlite:${folder.path}/warren.db` };
    const status = run(["run", "status"], { cwd: root, env });
    expect(await status.exited).toBe(1);
    const text = status.stdout.join("\n");
    expect(text).toContain('"own" drops events: events that have waited for 100000 ms are dropped (x-message-ttl).');
    expect(text).toMatch(
      /Since .*: "item_events" refuses events, and the events of all queues wait for it: it is full \(x-max-length 1, x-overflow reject-publish\)\./,
    );
  });

  test.each<[string, Options.AssertQueue]>([
    ["plainly", { durable: true }],
    ["to refuse what is too much", { durable: true, arguments: { "x-max-length": 5, "x-overflow": "reject-publish" } }],
    [
      "to keep dead letters",
      { durable: true, arguments: { ...quorum, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": `${queue}.dead` } },
    ],
    [
      "with one active consumer, priorities and in lazy mode",
      { durable: true, arguments: { "x-single-active-consumer": true, "x-max-priority": 5, "x-queue-mode": "lazy" } },
    ],
  ])("set up %s is safe, also where consumers are strict", async (_, options) => {
    await declare(options);
    const consumer = await consume({ STRICT_TOPOLOGY: "on" });
    await eventually(() => consumer.stage() === "consuming" || undefined, "the consumer");
    expect(healthOf(consumer)).toEqual({ queue, status: "ready" });
  });

  test("STRICT_TOPOLOGY=on: the consumer of an unsafe queue refuses to start, and exits with 1; the API starts", async () => {
    await declare({ durable: true, arguments: { "x-max-length": 5 } });
    const env = { ...environment(folder.path, rabbit.url), STRICT_TOPOLOGY: "on" };
    const consumer = run(["consumers/logger.ts", "--queue", queue], { cwd: root, env });
    expect(await consumer.exited).toBe(1);
    expect(consumer.stderr.join("\n")).toContain(
      'The queue "item_events" could drop events, which STRICT_TOPOLOGY=on forbids:\n  - beyond 5 events, the oldest are dropped (x-max-length).',
    );
    await (await start({ STRICT_TOPOLOGY: "on" }))(1);
  });

  test("a policy is seen with the management API, whether it drops events or mends that", async () => {
    await declare({ durable: true, arguments: quorum });
    const problems = await start({ RABBITMQ_MANAGEMENT_URL: managementUrl });
    await problems(1);
    const [unsafe] = log.lines.filter(({ argument }) => argument === "x-delivery-limit");
    const policy = /`rabbitmqctl (.*)` keeps/.exec(String(unsafe?.["todo"]))?.[1] ?? "";
    // As a shell takes it apart.
    const words = [...policy.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
    await rabbit.ctl(...words);
    await engine?.stop();
    await policyShows("dead-letter-routing-key");
    const consumer = await consume({ RABBITMQ_MANAGEMENT_URL: managementUrl, STRICT_TOPOLOGY: "on" });
    await eventually(() => consumer.stage() === "consuming" || undefined, "the consumer");

    await rabbit.ctl("set_policy", "--apply-to", "queues", "item_events.dead", "^item_events$", '{"max-length":7}');
    await policyShows("max-length");
    const found = await (await start({ RABBITMQ_MANAGEMENT_URL: managementUrl }))(2);
    expect(found.join()).toContain("beyond 7 events");
    await rabbit.ctl("clear_policy", "item_events.dead");
  });

  test("a queue that another program has bound, and that refuses events, is named with the management API", async () => {
    const channel = await connection.createChannel();
    await channel.assertExchange("events", "topic", { durable: true });
    await channel.assertQueue("foreign", { durable: true, arguments: { "x-max-length": 1, "x-overflow": "reject-publish" } });
    await channel.bindQueue("foreign", "events", "item.*");
    const problems = await start({ RABBITMQ_MANAGEMENT_URL: managementUrl });
    for (const name of ["first", "second", "third"]) {
      await engine?.dependencies.system.insert(item, { name, description: null, price: null });
    }
    expect((await problems(1))[0]).toStartWith('"foreign" refuses events, and the events of all queues wait for it: it is full');
    await channel.consume("foreign", (message) => message && channel.ack(message));
    await problems(0);
    expect((await channel.checkQueue(queue)).messageCount).toBeLessThanOrEqual(5);
  });

  test("a management API that does not answer is a warning, and AMQP is asked", async () => {
    await declare({ durable: true, arguments: { "x-max-length": 5 } });
    await (await start({ RABBITMQ_MANAGEMENT_URL: `http://guest:guest@127.0.0.1:${freePort()}` }))(1);
    expect(log.at("warn")).toContain("Cannot query RabbitMQ's management API; policies are not checked");
  });

  test("an exchange of another type: degraded at once, and one warning for the whole outage", async () => {
    const channel = await connection.createChannel();
    await channel.assertExchange("events", "fanout", { durable: true });
    const problems = await start();
    const [problem] = await problems(1);
    expect(problem).toBe(
      'No event can be sent: the exchange "events" exists with the type "fanout", but must be a durable topic exchange; delete it, and Warren declares it.',
    );
    const attempts = () => log.lines.filter(({ msg }) => msg === "Cannot set up a RabbitMQ channel; retrying");
    await eventually(() => attempts().length >= 3 || undefined, "three attempts");
    expect(attempts().filter(({ level }) => level === "warn")).toHaveLength(1);
    await channel.deleteExchange("events");
    await problems(0);
  });
});
