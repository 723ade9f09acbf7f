// Groups, search and jobs of dead letters, where they are: in SQLite, in PostgreSQL, and on RabbitMQ.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "amqplib";
import { readConfig } from "../src/config/config";
import type { RabbitmqConfig } from "../src/config/rabbitmq";
import { DeadGroups } from "../src/delivery/dead-groups";
import type { DeadLetterJob } from "../src/delivery/dead-letter-job";
import { DeadLetterJobs } from "../src/delivery/dead-letter-jobs";
import type { DeadLetters } from "../src/delivery/dead-letters";
import { UnknownQueue } from "../src/delivery/queue-errors";
import { EmbeddedDeadLetters } from "../src/embedded/dead-letters";
import { Broker } from "../src/rabbitmq/connection";
import { RabbitDeadLetters } from "../src/rabbitmq/dead-letters";
import { consumerStores } from "../src/store/open";
import { type DeadEvent, deadEvents } from "./support/dead-letters";
import { forEachEngine } from "./support/engines";
import { eventually } from "./support/processes";
import { describeWithRabbit, emptyBroker, useRabbit } from "./support/rabbit";
import { recordedLog } from "./support/recorded-log";
import { useFolder } from "./support/use-folder";

setDefaultTimeout(60_000);

interface Transport {
  readonly deadLetters: DeadLetters;
  /** Adds dead letters with an error that ends with their number. */
  add(events: readonly DeadEvent[], error: string): Promise<void>;
  close(): Promise<void>;
}

const queue = "stock";

/** @param count number of dead letters that take several passes of the transport. */
function behaves(open: () => Promise<Transport>, count: number): void {
  let transport: Transport;
  let jobs: DeadLetterJobs;
  beforeEach(async () => {
    transport = await open();
    jobs = new DeadLetterJobs(transport.deadLetters);
  });
  afterEach(async () => {
    await jobs.close();
    await transport.close();
  });

  const left = async () => (await transport.deadLetters.queues()).find((each) => each.queue === queue)?.count;
  const ended = (job: DeadLetterJob) =>
    eventually(() => (jobs.get(job.id)?.finishedAt !== null ? jobs.get(job.id) : undefined), "the end of the job");
  async function groups(most = 10_000) {
    const found = new DeadGroups();
    const scan = await transport.deadLetters.scan(queue, {}, most, (letter) => found.add(letter));
    return { scan, groups: found.largest(10) };
  }

  test("one pass groups them by error, up to a number; a group can be redriven", async () => {
    await transport.add(deadEvents(count), "no answer in");
    await transport.add(deadEvents(3), "not found:");
    const all = await groups();
    expect([all.scan.looked, all.scan.isComplete]).toEqual([count + 3, true]);
    expect(all.groups.map((each) => each.count)).toEqual([count, 3]);
    expect((await groups(5)).scan).toMatchObject({ looked: 5, isComplete: false });
    const job = await jobs.start("redrive", queue, { group: all.groups[1]?.group }, "ada");
    expect(job).toMatchObject({ action: "redrive", queue, by: "ada", process: { pid: process.pid } });
    expect(await ended(job)).toMatchObject({ state: "finished", done: 3, looked: count + 3, total: count + 3, error: null });
    expect(await left()).toBe(count);
  });

  test("a search finds them by error and body, page by page", async () => {
    const events = deadEvents(count);
    await transport.add(events, "no answer in");
    const last = events.at(-1)?.id as string;
    const page = await transport.deadLetters.list(queue, { search: last.toUpperCase() }, 0, 10);
    expect(page.deadLetters.map(({ id }) => id)).toEqual([last]);
    expect((await transport.deadLetters.list(queue, { search: "NO ANSWER IN 1" }, 0, 2)).deadLetters).toHaveLength(2);
    expect((await transport.deadLetters.list(queue, { search: "nowhere" }, 0, 2)).deadLetters).toEqual([]);
  });

  test("what arrives after the bound stays a dead letter", async () => {
    await transport.add(deadEvents(5), "no");
    const { upTo } = (await groups()).scan;
    const late = deadEvents(2);
    await transport.add(late, "no");
    expect(await ended(await jobs.start("discard", queue, { upTo }, null))).toMatchObject({ state: "finished", done: 5 });
    const { deadLetters } = await transport.deadLetters.list(queue, {}, 0, 10);
    expect(deadLetters.map(({ id }) => id)).toEqual(late.map(({ id }) => id));
  });

  test("jobs of one queue run one after another, each on what was there at its request", async () => {
    await transport.add(deadEvents(count), "no answer in");
    await transport.add(deadEvents(3), "not found:");
    const { scan, groups: found } = await groups();
    const started: DeadLetterJob[] = [];
    for (const { group } of found) started.push(await jobs.start("discard", queue, { group, upTo: scan.upTo }, null));
    started.push(await jobs.start("discard", queue, {}, null));
    expect(started.map(({ state }) => state)).toEqual(["running", "queued", "queued"]);
    const late = deadEvents(2);
    await transport.add(late, "not found:");
    const results = await Promise.all(started.map(ended));
    expect(results.map((job) => [job?.state, job?.done]).slice(0, 2)).toEqual([
      ["finished", count],
      ["finished", 3],
    ]);
    expect((await transport.deadLetters.list(queue, {}, 0, 10)).deadLetters.map(({ id }) => id)).toEqual(late.map(({ id }) => id));
  });

  test("a stop leaves the rest where it is; one that is queued does nothing", async () => {
    await transport.add(deadEvents(count), "no");
    const job = await jobs.start("redrive", queue, {}, null);
    const next = await jobs.start("discard", queue, {}, null);
    void jobs.stop(next.id);
    await eventually(() => (jobs.get(job.id)?.looked ?? 0) > 0 || jobs.get(job.id)?.state !== "running", "progress");
    const stopped = (await jobs.stop(job.id)) as DeadLetterJob;
    expect(["stopped", "finished"]).toContain(stopped.state);
    expect(await ended(next)).toMatchObject({ state: "stopped", done: 0 });
    expect((await left()) as number).toBe(count - stopped.done);
    expect(jobs.list().map(({ id }) => id)).toEqual([next.id, job.id]);
    expect(await jobs.stop("none")).toBeUndefined();
  });

  test("a queue that does not exist is refused", () => {
    expect(jobs.start("redrive", "nothing", { search: "x" }, null)).rejects.toBeInstanceOf(UnknownQueue);
  });
}

forEachEngine((placesIn) => {
  const folder = useFolder();
  behaves(async () => {
    const stores = consumerStores(placesIn(folder.path));
    const store = await stores.open(queue, { durable: false });
    return {
      deadLetters: new EmbeddedDeadLetters(stores),
      add: (events, error) =>
        store.together(async ({ dead }) => {
          const at = new Date().toISOString();
          const about = { type: "item.created", reason: "rejected", stack: null, attempts: 1, firstFailure: at, lastFailure: at };
          for (const [number, event] of events.entries())
            await dead.add({ ...about, ...event, error: `${error} ${number}`, replay: "no", traceparent: null });
        }),
      async close() {
        await store.close();
        await stores.remove(queue);
        await stores.close();
      },
    };
  }, 1200);
});

describeWithRabbit("on RabbitMQ", () => {
  const rabbit = useRabbit();
  describe("dead letters", () => {
    behaves(async () => {
      const config = readConfig({ isTerminal: false, environment: { RABBITMQ_URL: rabbit().url } }).rabbitmq as RabbitmqConfig;
      const broker = await Broker.connect(config, recordedLog().log);
      await eventually(() => broker.state === "connected" || undefined, "the connection");
      const connection = await connect(rabbit().url);
      const channel = await connection.createConfirmChannel();
      for (const name of [queue, `${queue}.dead`]) await channel.assertQueue(name, { durable: true });
      return {
        deadLetters: new RabbitDeadLetters(broker, async () => [queue]),
        async add(events, error) {
          const at = new Date().toISOString();
          for (const [number, { id, body }] of events.entries()) {
            const headers = { "x-reason": "rejected", "x-attempts": 1, "x-error": `${error} ${number}`, "x-last-failure": at };
            channel.sendToQueue(`${queue}.dead`, Buffer.from(body), { type: "item.created", messageId: id, headers });
          }
          await channel.waitForConfirms();
        },
        async close() {
          await connection.close();
          await broker.close();
          await emptyBroker(rabbit());
        },
      };
    }, 1200);
  });
});
