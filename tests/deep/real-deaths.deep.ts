// Processes that die in the middle of an event: on both transports.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { openConsumerTables } from "../../src/store/sqlite/consumer/own-tables";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, eventually, type Running, run, send, startApi } from "../support/processes";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";

setDefaultTimeout(400_000);

function describeDeaths(url: () => string, cleanUp: () => Promise<void> = async () => {}): void {
  let folder: ReturnType<typeof temporaryFolder>;
  let env: Record<string, string>;
  beforeEach(() => {
    folder = temporaryFolder();
    env = environment(folder.path, url());
  });
  afterEach(async () => {
    await endAll();
    folder.remove();
    await cleanUp();
  });
  const start = (dies: string, chance = 0): Running =>
    run(["tests/support/fragile.ts"], { env: { ...env, FRAGILE_DIES: dies, FRAGILE_CHANCE: `${chance}`, LOG_LEVEL: "error" } });

  test("an event on which the process dies is a dead letter after three deaths, and takes no other with it", async () => {
    const api = await startApi({ env });
    const handled = new Set<string>();
    let deaths = 0;
    for (let n = 1; n <= 30; n += 1) await send("POST", `${api.url}/items`, { name: n === 11 ? "poison" : `item ${n}` });
    for (;;) {
      const consumer = start("item");
      const done = () => {
        for (const line of consumer.stdout) if (line.startsWith("handled")) handled.add(line);
        return handled.size === 29;
      };
      const code = await Promise.race([consumer.exited, eventually(() => (done() ? ("all" as const) : undefined), "29 items", 60_000)]);
      done();
      if (code === "all") {
        expect(await consumer.stop()).toBe(0);
        break;
      }
      expect(code).toBe(9);
      deaths += 1;
      expect(deaths).toBeLessThanOrEqual(3);
    }
    expect(deaths).toBe(3);
    const page = await eventually(async () => {
      const answer = (await (await send("GET", `${api.url}/dead-letters/fragile`)).json()) as { deadLetters: Record<string, unknown>[] };
      return answer.deadLetters.length > 0 ? answer : undefined;
    }, "the dead letter");
    expect(page.deadLetters).toHaveLength(1);
    expect(page.deadLetters[0]).toMatchObject({ reason: "process-died", attempts: 3, body: { item: { name: "poison" } } });
  });

  test("exactly-once effects: fifty times killed with -9 between effect and acknowledgement, nothing doubled, nothing lost", async () => {
    const api = await startApi({ env });
    const events = 3000;
    const writing = (async () => {
      for (let n = 0; n < events; n += 100) {
        await Promise.all(Array.from({ length: 100 }, () => send("POST", `${api.url}/items`, { name: "x" })));
      }
    })();
    const startedAt = performance.now();
    let kills = 0;
    while (kills < 50) {
      // Often enough that fifty deaths fit into the events that are there.
      const consumer = start("settle", 0.04);
      const end = await Promise.race([
        consumer.exited,
        eventually(async () => ((await effects()).length >= events ? "all" : undefined), "the effects", 60_000),
      ]);
      if (end === "all") break;
      kills += 1;
    }
    await writing;
    const last = start("settle", 0);
    // All may be done before it has begun, and then a stop would come before it knows how to stop well.
    await last.line(/^ready$/);
    await eventually(async () => ((await effects()).length >= events ? true : undefined), `${events} effects`, 60_000);
    expect(await last.stop()).toBe(0);
    const written = await effects();
    const ids = new Set(written.map(({ event }) => event));
    console.log(
      `${kills} kills between effect and ack: ${events} events, ${written.length} effects, ${written.length - ids.size} doubled, ` +
        `${events - ids.size} lost, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
    );
    expect(kills).toBe(50);
    expect([written.length, ids.size]).toEqual([events, events]);
  });

  async function effects(): Promise<{ event: string }[]> {
    const tables = openConsumerTables(join(folder.path, "data", "consumers", "fragile.db"));
    try {
      return tables && (await tables.has("effects")) ? await tables.all<{ event: string }>("SELECT event FROM effects") : [];
    } finally {
      await tables?.close();
    }
  }
}

describe("without a broker", () => describeDeaths(() => "none"));

describeWithRabbit("on RabbitMQ, with a classic queue", () => {
  const rabbit = useRabbit();
  describeDeaths(
    () => rabbit().url,
    () => emptyBroker(rabbit()),
  );
});
