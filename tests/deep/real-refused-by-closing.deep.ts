// An event above RabbitMQ's max_message_size, over which it closes the channel: a replay, a fill and the relay.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "amqplib";
import type { Need } from "../../src/status/system-needs";
import { command } from "../support/command";
import { temporaryFolder } from "../support/folder";
import { type Api, endAll, environment, eventually, startApi } from "../support/processes";
import { queueConsumers } from "../support/queue-consumer";
import { describeWithRabbit, emptyBroker, useOwnRabbit, whileAllowing } from "../support/rabbit";
import { requests } from "../support/requests";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const mostBytes = 800;

describeWithRabbit("an event that is larger than RabbitMQ allows by now", () => {
  const rabbit = useOwnRabbit();
  let folder: ReturnType<typeof temporaryFolder>;
  let env: Record<string, string>;
  let api: Api;
  const { post, get, replays, relayed, startReplay, finished } = requests(() => api.url);

  beforeEach(() => {
    folder = temporaryFolder();
    env = environment(folder.path, rabbit().url);
  });
  afterEach(async () => {
    await endAll();
    folder.remove();
    await emptyBroker(rabbit());
  });

  async function start(): Promise<void> {
    api = await startApi({ env });
    await api.line("Connected to RabbitMQ");
  }
  /** Creates five items, of which the third is too large. */
  async function createFive(): Promise<void> {
    for (let id = 1; id <= 5; id += 1) {
      const answer = await post("/items", { name: "x", description: id === 3 ? "y".repeat(900) : null });
      expect(answer.status).toBe(201);
    }
  }
  const needs = async (kind: Need["kind"]) => {
    const { stdout } = await command("status", ["--json"], env);
    return (JSON.parse(stdout) as { needs: Need[] }).needs.filter((need) => need.kind === kind);
  };
  /** The items of the events in a queue, which it takes out. */
  async function itemsIn(queue: string): Promise<number[]> {
    const connection = await connect(rabbit().url);
    const channel = await connection.createChannel();
    const items: number[] = [];
    for (let message = await channel.get(queue, { noAck: true }); message; message = await channel.get(queue, { noAck: true }))
      items.push((JSON.parse(message.content.toString()) as { item: { id: number } }).item.id);
    await connection.close();
    return items;
  }
  const quarantine = () => join(folder.path, "data", "quarantine");
  const files = (queue: string) => {
    const place = join(quarantine(), queue);
    return readdirSync(place).map((name) => JSON.parse(readFileSync(join(place, name), "utf8")) as Record<string, unknown>);
  };

  test("goes to the quarantine, and a replay sends what is behind it: by the API and by the command", async () => {
    await start();
    await createFive();
    await relayed();
    await itemsIn("item_events");
    await whileAllowing(rabbit(), mostBytes, async () => {
      const done = await finished(await startReplay({ queue: "item_events" }));
      expect(done).toMatchObject({ state: "finished", sent: 4, progress: 1, error: null });
      expect(done.note).toStartWith(`RabbitMQ refused one event; see ${join(quarantine(), "item_events")}.`);
      expect((await replays())[0]?.note).toStartWith("RabbitMQ refused one event");
      expect(await itemsIn("item_events")).toEqual(expect.arrayContaining([1, 2, 4, 5]) as number[]);
      const [file] = files("item_events");
      expect(file).toMatchObject({
        queue: "item_events",
        why: expect.stringMatching(/twice because of this event: .*max size 800/) as string,
      });
      expect(JSON.parse(String(file?.["body"]))).toMatchObject({ item: { id: 3 } });
      expect(await needs("quarantine")).toMatchObject([{ queue: "item_events" }]);
      await api.line("RabbitMQ refuses a past event; keeping it in a file");

      const { code, stdout, stderr } = await command("replay", ["--queue", "item_events"], env);
      expect(stdout).toMatch(/RabbitMQ refused 1 event; see .*\n4 events sent to "item_events"/);
      expect(stderr).toContain("is kept in");
      expect(code).toBe(1);
      expect(files("item_events")).toHaveLength(2);
    });
  });

  test("goes to the quarantine, and a new queue is filled with the others and bound", async () => {
    await start();
    const consumers = await queueConsumers(env);
    try {
      await createFive();
      await relayed();
      await whileAllowing(rabbit(), mostBytes, async () => {
        const late = await consumers.start({ queue: "late" });
        const [fill] = await eventually(async () => {
          const all = await replays();
          return all[0]?.state === "finished" ? all : undefined;
        }, "the fill to end");
        expect(fill).toMatchObject({ kind: "fill", queue: "late", sent: 4 });
        expect(fill?.note).toStartWith("RabbitMQ refused one event");
        await post("/items", { name: "behind" });
        // Events that were not confirmed before the channel closed come twice.
        const seen = () => [...new Set(late.seen().map((event) => event.item))];
        await eventually(() => seen().includes(6) || undefined, "the event behind");
        expect(seen()).toEqual([1, 2, 4, 5, 6]);
        expect(files("late")).toHaveLength(1);
      });
    } finally {
      consumers.remove();
    }
  });

  test("is waited for by the relay, which names it, and goes on in order when the limit is raised", async () => {
    type Health = { status: string; confirmed: number };
    await whileAllowing(rabbit(), mostBytes, async () => {
      await start();
      await createFive();
      const [need] = await eventually(async () => {
        const found = await needs("relay-stopped");
        return found.length > 0 ? found : undefined;
      }, "the status to name the event");
      expect(need?.what).toMatch(/because of the event [0-9a-f-]+ \(item.created, \d+ bytes\).*max size 800.*Raise max_message_size/);
      expect(await get<Health>("/health/ready")).toMatchObject({ status: "degraded", confirmed: 2 });
    });
    await eventually(async () => (await get<Health>("/health/ready")).confirmed === 5 || undefined, "all to be confirmed");
    const items = await itemsIn("item_events");
    expect([...new Set(items)]).toEqual([1, 2, 3, 4, 5]);
    // No more than what was in flight when the channel closed first comes twice.
    expect(items.length).toBeLessThanOrEqual(7);
    await eventually(async () => (await needs("relay-stopped")).length === 0 || undefined, "the status to be well again");
  });
});
