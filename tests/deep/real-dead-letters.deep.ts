// Dead letters over HTTP: real processes on both transports.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { connect } from "amqplib";
import type { DeadLetter, DeadLetterPage } from "../../src/delivery/dead-letters";
import { type DeadQueue, deadEvents, deadQueueInFile, deadQueueOnRabbitmq } from "../support/dead-letters";
import { eventually, send } from "../support/processes";
import { deadCount, untilDead } from "../support/queue-consumer";
import { deleteQueue, describeWithRabbit, emptyBroker, useOwnRabbit } from "../support/rabbit";
import { useSystem } from "../support/use-system";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const { api, consumers, folder, runOn } = useSystem();

function onEither(rabbitmqUrl: () => string, dead: DeadQueue): void {
  runOn(rabbitmqUrl);
  beforeEach(api.start);

  const post = async (path: string, body: unknown) => {
    const answer = await send("POST", `${api.url}${path}`, body);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const get = async (path: string) => (await (await send("GET", `${api.url}${path}`)).json()) as DeadLetterPage;
  const create = async (name: string) => expect((await post("/items", { name })).status).toBe(201);
  const names = (letters: readonly DeadLetter[]) => letters.map((letter) => (letter.body as { item: { name: string } }).item.name);

  /** A queue "stock" whose consumer has given up on items "a" (attempts exhausted) and "b" (rejected), in this order. */
  async function givenUp(order: string) {
    consumers.fails({ a: "fail", b: "reject" });
    const consumer = await consumers.start({ queue: "stock", events: ["item.created", "item.updated"] });
    for (const [index, name] of [...order].entries()) {
      await create(name);
      // One after another, so that the order of the dead letters is known.
      await untilDead(api.url, "stock", index + 1);
    }
    return consumer;
  }

  test("a dead letter keeps body, type, id, reason, error, stack, attempts, first and last failure", async () => {
    const before = new Date().toISOString();
    const consumer = await givenUp("ab");
    const { deadLetters, next } = await get("/dead-letters/stock");
    expect(next).toBe(null);
    const [failed, rejected] = deadLetters as [DeadLetter, DeadLetter];
    expect(failed).toMatchObject({
      id: consumer.seen()[0]?.id,
      type: "item.created",
      reason: "attempts-exhausted",
      error: "TypeError: the warehouse does not answer",
      attempts: 2,
      bodyEncoding: "json",
      body: { id: consumer.seen()[0]?.id, type: "item.created", version: 1, item: { id: 1, name: "a" } },
    });
    expect(failed.stack).toContain("under-test.ts");
    expect(failed.bodyBytes).toBe(JSON.stringify(failed.body).length);
    const { firstFailure, lastFailure } = failed as { firstFailure: string; lastFailure: string };
    const times = [before, firstFailure, lastFailure, new Date().toISOString()];
    expect(times).toEqual(times.toSorted());
    expect(Date.parse(lastFailure) - Date.parse(firstFailure)).toBeGreaterThanOrEqual(30);
    expect(rejected).toMatchObject({ reason: "rejected", error: "no such shelf", attempts: 1 });
    expect(rejected.firstFailure).toBe(rejected.lastFailure);
  });

  test("a list takes nothing away and changes no order; it is filtered", async () => {
    await givenUp("abaab");
    await send("PATCH", `${api.url}/items/1`, { price: 2 });
    await untilDead(api.url, "stock", 6);
    for (let round = 0; round < 3; round += 1) {
      const { deadLetters } = await get("/dead-letters/stock");
      expect(names(deadLetters).join("")).toBe("abaaba");
    }
    expect(await deadCount(api.url, "stock")).toBe(6);

    expect(names((await get("/dead-letters/stock?reason=rejected")).deadLetters).join("")).toBe("bb");
    expect(names((await get("/dead-letters/stock?type=item.updated")).deadLetters).join("")).toBe("a");
    expect((await get("/dead-letters/stock?type=item.updated&reason=rejected")).deadLetters).toEqual([]);
    const first = await get("/dead-letters/stock?reason=attempts-exhausted&limit=3");
    const second = await get(`/dead-letters/stock?reason=attempts-exhausted&limit=3&after=${first.next}`);
    expect([first.deadLetters.length, second.deadLetters.length, second.next]).toEqual([3, 1, null]);
    expect((await send("GET", `${api.url}/dead-letters/stock?limit=0`)).status).toBe(422);
    expect(await deadCount(api.url, "stock")).toBe(6);
  });

  test("pages leave nothing out, and nothing comes twice", async () => {
    await consumers.start({ queue: "stock" });
    const events = deadEvents(200);
    await dead.fill("stock", events);
    const paged: string[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page: DeadLetterPage = await get(`/dead-letters/stock?limit=30&after=${after}`);
      expect(page.deadLetters).toHaveLength(Math.min(30, 200 - paged.length));
      paged.push(...page.deadLetters.map(({ id }) => id));
      after = page.next;
    }
    expect(paged).toEqual(events.map(({ id }) => id));
    for (let round = 0; round < 30; round += 1) {
      const page = await get("/dead-letters/stock?limit=30&after=150");
      expect([page.deadLetters.length, page.next]).toEqual([30, 180]);
    }
  });

  test("the queues that are known are listed with what they have", async () => {
    await givenUp("ab");
    consumers.works();
    const other = await consumers.start({ queue: "prices" });
    await other.untilSeen(2);
    const { queues } = (await (await send("GET", `${api.url}/dead-letters`)).json()) as { queues: { queue: string; count: number }[] };
    expect(queues).toContainEqual({ queue: "stock", count: 2 });
    expect(queues.find(({ queue }) => queue === "prices")?.count ?? 0).toBe(0);
  });

  test("redriving all: attempts start over, and events that fail again become dead letters again", async () => {
    const consumer = await givenUp("aba");
    const letters = (await get("/dead-letters/stock")).deadLetters;
    consumers.fails({ b: "reject" });
    const seenBefore = consumer.seen().length;
    expect(await post("/dead-letters/stock/redrive", {})).toEqual({ status: 200, body: { redriven: 3 } });
    const again = (await consumer.untilSeen(seenBefore + 3)).slice(seenBefore);
    expect(again.map(({ id, attempt }) => ({ id, attempt }))).toEqual(letters.map(({ id }) => ({ id, attempt: 1 })));
    await untilDead(api.url, "stock", 1);
    const [rest] = (await get("/dead-letters/stock")).deadLetters;
    expect(rest).toMatchObject({ id: letters[1]?.id as string, attempts: 1, reason: "rejected" });
    expect(rest?.firstFailure).not.toBe(letters[1]?.firstFailure as string);
  });

  test("a redrive by ids, by type and by reason takes those, and leaves the others in order", async () => {
    const consumer = await givenUp("abab");
    await send("PATCH", `${api.url}/items/1`, { price: 2 });
    await untilDead(api.url, "stock", 5);
    consumers.works();
    const letters = (await get("/dead-letters/stock")).deadLetters;
    const ids = letters.map(({ id }) => id);
    let seen = consumer.seen().length;
    const handledNext = async (count: number) => {
      const events = (await consumer.untilSeen(seen + count)).slice(seen);
      seen += count;
      return events.map(({ id }) => id);
    };
    expect((await post("/dead-letters/stock/redrive", { ids: [ids[2], ids[0], "no-such-id"] })).body).toEqual({ redriven: 2 });
    expect(await handledNext(2)).toEqual([ids[0], ids[2]] as string[]);
    expect((await get("/dead-letters/stock")).deadLetters.map(({ id }) => id)).toEqual([ids[1], ids[3], ids[4]] as string[]);
    expect((await post("/dead-letters/stock/redrive", { type: "item.updated" })).body).toEqual({ redriven: 1 });
    expect(await handledNext(1)).toEqual([ids[4]] as string[]);
    expect((await post("/dead-letters/stock/redrive", { reason: "attempts-exhausted" })).body).toEqual({ redriven: 0 });
    expect((await post("/dead-letters/stock/redrive", { reason: "rejected" })).body).toEqual({ redriven: 2 });
    expect(await handledNext(2)).toEqual([ids[1], ids[3]] as string[]);
    expect(await deadCount(api.url, "stock")).toBe(0);
  });

  test("discards by id, by reason, and all", async () => {
    const consumer = await givenUp("abaa");
    const ids = (await get("/dead-letters/stock")).deadLetters.map(({ id }) => id);
    const discard = async (query: string) => (await send("DELETE", `${api.url}/dead-letters/stock${query}`)).json();
    expect(await discard(`?ids=${ids[0]},${ids[3]}`)).toEqual({ discarded: 2 });
    expect((await get("/dead-letters/stock")).deadLetters.map(({ id }) => id)).toEqual([ids[1], ids[2]] as string[]);
    expect(await discard("?reason=rejected")).toEqual({ discarded: 1 });
    expect(await discard("?all=true")).toEqual({ discarded: 1 });
    expect(await discard("?all=true")).toEqual({ discarded: 0 });
    expect(await deadCount(api.url, "stock")).toBe(0);
    // Discarded is not redriven.
    const seen = consumer.seen().length;
    consumers.works();
    await create("c");
    expect((await consumer.untilSeen(seen + 1)).at(-1)?.item).toBe(5);
  });

  test("what is asked for in a wrong way is refused", async () => {
    await givenUp("a");
    for (const body of [{ ids: [] }, { ids: "x" }, { id: "x" }, { reason: "" }, []]) {
      expect((await post("/dead-letters/stock/redrive", body)).status).toBe(422);
    }
    // All of them only when that is said.
    for (const query of ["", "?id=x", "?all=false", "?all=true&reason=rejected"]) {
      expect((await send("DELETE", `${api.url}/dead-letters/stock${query}`)).status).toBe(422);
    }
    expect(await deadCount(api.url, "stock")).toBe(1);
    expect((await send("GET", `${api.url}/dead-letters/..%2Fwarren`)).status).toBe(422);
    expect(await deadCount(api.url, "stock")).toBe(1);
  });

  test("two redrives at once: one waits or is told to try again; nothing is lost, nothing doubled", async () => {
    consumers.fails({ b: "reject" });
    const consumer = await consumers.start({ queue: "stock" });
    await Promise.all(Array.from({ length: 300 }, () => create("b")));
    await untilDead(api.url, "stock", 300);
    const seen = consumer.seen().length;
    consumers.works();
    const answers = await Promise.all(Array.from({ length: 4 }, () => post("/dead-letters/stock/redrive", {})));
    for (const { status } of answers) expect([200, 503]).toContain(status);
    expect(answers.reduce((sum, { body }) => sum + Number(body["redriven"] ?? 0), 0)).toBe(300);
    await consumer.untilSeen(seen + 300);
    await create("last");
    const events = (await consumer.untilSeen(seen + 301)).slice(seen);
    expect(events.at(-1)?.item).toBe(301);
    expect(new Set(events.map(({ item }) => item)).size).toBe(301);
    expect(await deadCount(api.url, "stock")).toBe(0);
  });

  test("a list in the middle of others neither fails nor disturbs them", async () => {
    await givenUp("ab");
    for (let round = 0; round < 5; round += 1) {
      const pages = await Promise.all(Array.from({ length: 8 }, () => get("/dead-letters/stock")));
      for (const { deadLetters } of pages) expect(names(deadLetters)).toEqual(["a", "b"]);
    }
  });

  test("kill -9 of the API in the middle of a redrive loses nothing", async () => {
    const count = 10_000;
    const consumer = await consumers.start({ queue: "stock" });
    await dead.fill("stock", deadEvents(count));
    const redrive = post("/dead-letters/stock/redrive", {}).catch(() => "cut off");
    await eventually(async () => ((await dead.depth("stock")) < count - 2000 ? true : undefined), "the redrive to have begun");
    await api.stop("SIGKILL");
    expect(await redrive).toBe("cut off");
    await api.start();
    const left = await eventually(async () => {
      const answer = await post("/dead-letters/stock/redrive", {});
      return answer.status === 200 ? Number(answer.body["redriven"]) : undefined;
    }, "the rest to be redriven");
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(count);
    await eventually(() => (consumer.stdout.length >= count ? true : undefined), "the events in the handler", 50_000);
    const ids = () => new Set(consumer.seen().map(({ id }) => id));
    await eventually(() => (ids().size === count ? true : undefined), "every event in the handler");
    expect(await deadCount(api.url, "stock")).toBe(0);
  });

  test("reports a queue that does not exist", async () => {
    for (const [method, path, body] of [
      ["GET", "/dead-letters/stokc", undefined],
      ["POST", "/dead-letters/stokc/redrive", {}],
      ["DELETE", "/dead-letters/stokc?all=true", undefined],
    ] as const) {
      const answer = await send(method, `${api.url}${path}`, body);
      expect(answer.status).toBe(404);
      expect(((await answer.json()) as { detail: string }).detail).toContain('There is no queue "stokc"');
    }
  });
}

describe("dead letters without a broker", () => {
  onEither(
    () => "none",
    deadQueueInFile(() => folder.path),
  );

  test("a consumer that holds its file for long: 503, and a redrive and a replay work when it lets go", async () => {
    await consumers.start({ queue: "stock" });
    await deadQueueInFile(() => folder.path).fill("stock", deadEvents(3));
    const holder = new Database(join(folder.path, "data", "consumers", "stock.db"));
    // The consumer may be writing at this very moment.
    holder.run("PRAGMA busy_timeout = 5000");
    holder.run("BEGIN IMMEDIATE");
    for (const [path, body] of [
      ["/dead-letters/stock/redrive", {}],
      ["/replays", { queue: "stock" }],
    ] as const) {
      const answer = await send("POST", `${api.url}${path}`, body);
      expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([
        503,
        expect.stringContaining("stock.db has been locked"),
      ]);
    }
    holder.run("COMMIT");
    holder.close();
    expect(await (await send("POST", `${api.url}/dead-letters/stock/redrive`, {})).json()).toEqual({ redriven: 3 });
    expect((await send("POST", `${api.url}/replays`, { queue: "stock" })).status).toBe(202);
  });
});

describeWithRabbit("dead letters on RabbitMQ", () => {
  const rabbit = useOwnRabbit();
  const dead = deadQueueOnRabbitmq(() => rabbit().url);
  onEither(() => rabbit().url, dead);
  afterEach(() => emptyBroker(rabbit()));

  const every = [
    ["GET", "/dead-letters", undefined],
    ["GET", "/dead-letters/stock", undefined],
    ["POST", "/dead-letters/stock/redrive", {}],
    ["DELETE", "/dead-letters/stock?all=true", undefined],
  ] as const;

  test("RabbitMQ is away: 503 at once, and all is there when it is back", async () => {
    await consumers.start({ queue: "stock" });
    await dead.fill("stock", deadEvents(10));
    await rabbit().stop();
    await api.line("Lost the connection");
    for (const [method, path, body] of every) {
      const answer = await send(method, `${api.url}${path}`, body);
      expect([method, path, answer.status]).toEqual([method, path, 503]);
      expect(((await answer.json()) as { detail: string }).detail).toContain("Cannot reach RabbitMQ. The dead letters are safe there.");
    }
    await rabbit().start();
    const redriven = await eventually(async () => {
      const answer = await send("POST", `${api.url}/dead-letters/stock/redrive`, {});
      return answer.status === 200 ? answer.json() : undefined;
    }, "RabbitMQ to be back");
    expect(redriven).toEqual({ redriven: 10 });
  });

  test("RabbitMQ takes nothing (an alarm): 503, and nothing is lost", async () => {
    const consumer = await consumers.start({ queue: "stock" });
    await dead.fill("stock", deadEvents(1000));
    await rabbit().ctl("set_vm_memory_high_watermark", "0");
    try {
      for (let round = 0; round < 2; round += 1) {
        const answer = await send("POST", `${api.url}/dead-letters/stock/redrive`, {});
        expect(answer.status).toBe(503);
        expect(((await answer.json()) as { detail: string }).detail).toContain("does not accept messages now");
      }
      expect((await send("GET", `${api.url}/dead-letters`)).status).toBe(503);
    } finally {
      await rabbit().ctl("set_vm_memory_high_watermark", "0.6");
    }
    await eventually(async () => {
      const answer = await send("POST", `${api.url}/dead-letters/stock/redrive`, {});
      return answer.status === 200 ? true : undefined;
    }, "RabbitMQ to take messages again");
    await eventually(() => (new Set(consumer.seen().map(({ id }) => id)).size === 1000 ? true : undefined), "every event");
    // What was begun under the alarm was finished, not done again.
    expect(consumer.seen()).toHaveLength(1000);
    expect(await deadCount(api.url, "stock")).toBe(0);
  });

  test("more dead letters than AMQP can count ahead: those at the end are found, and all stay in order", async () => {
    await consumers.start({ queue: "stock" });
    const events = deadEvents(66_000);
    await deadQueueOnRabbitmq(() => rabbit().url, { persistent: false }).fill("stock", events);
    const ids = events.map(({ id }) => id);
    const answer = await send("POST", `${api.url}/dead-letters/stock/redrive`, { ids: [ids[5], ids[65_999]] });
    expect(await answer.json()).toEqual({ redriven: 2 });
    const rest = (await (await send("GET", `${api.url}/dead-letters/stock?limit=10`)).json()) as DeadLetterPage;
    expect(rest.deadLetters.map(({ id }) => id)).toEqual([...ids.slice(0, 5), ...ids.slice(6, 11)]);
    expect(await deadCount(api.url, "stock")).toBe(65_998);
  }, 120_000);

  test("somebody empties the dead letters in the middle: the answer comes all the same", async () => {
    await consumers.start({ queue: "stock" });
    await dead.fill("stock", deadEvents(10_000));
    const connection = await connect(rabbit().url);
    const channel = await connection.createChannel();
    const redrive = send("POST", `${api.url}/dead-letters/stock/redrive`, {});
    await eventually(async () => ((await channel.checkQueue("stock")).messageCount > 0 ? true : undefined), "the first events");
    const { messageCount: purged } = await channel.purgeQueue("stock.dead");
    await connection.close();
    const { redriven } = (await (await redrive).json()) as { redriven: number };
    expect(purged).toBeGreaterThan(0);
    expect(redriven).toBe(10_000 - purged);
  });

  test("a queue that was deleted gets nothing back, and its dead letters stay", async () => {
    const consumer = await consumers.start({ queue: "stock" });
    await dead.fill("stock", deadEvents(3));
    await consumer.stop();
    await deleteQueue(rabbit(), "stock");
    const answer = await send("POST", `${api.url}/dead-letters/stock/redrive`, {});
    expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([404, expect.stringContaining('"stock"')]);
    expect(((await (await send("GET", `${api.url}/dead-letters/stock`)).json()) as DeadLetterPage).deadLetters).toHaveLength(3);
  });
});
