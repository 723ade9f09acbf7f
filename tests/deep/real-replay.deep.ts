// Replays of past events to one queue, over HTTP: real processes on both transports.
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { connect } from "amqplib";
import type { Replay } from "../../src/delivery/replays";
import { eventually, send } from "../support/processes";
import { firstTimes, items, upTo } from "../support/queue-consumer";
import { deleteQueue, describeWithRabbit, emptyBroker, useOwnRabbit } from "../support/rabbit";
import { requests } from "../support/requests";
import { seedItems } from "../support/seeded-log";
import { useSystem } from "../support/use-system";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const { api, consumers, folder, runOn } = useSystem();

const { post, get, replays, create, startReplay, finished, filled } = requests(() => api.url);

function onEither(rabbitmqUrl: () => string): void {
  runOn(rabbitmqUrl);

  test("invariant 4: a replay goes to exactly one queue, marked as one, in order", async () => {
    await api.start();
    const audit = await consumers.start({ queue: "audit" });
    const prices = await consumers.start({ queue: "prices" });
    const shared = await consumers.start({ queue: "item_events" });
    await create(20);
    for (const consumer of [audit, prices, shared]) await consumer.untilSeen(20);
    const replay = await startReplay({ queue: "audit" });
    expect(replay).toMatchObject({ queue: "audit", kind: "replay", state: "running", sent: 0, progress: 0, finishedAt: null, error: null });
    const again = (await audit.untilSeen(40)).slice(20);
    expect(items(again)).toEqual(upTo(20));
    expect(again.map(({ replay }) => replay)).toEqual(upTo(20).map(() => true));
    expect(
      audit
        .seen()
        .slice(0, 20)
        .every(({ replay }) => !replay),
    ).toBe(true);

    const done = await finished(replay);
    expect(done).toMatchObject({ id: replay.id, state: "finished", sent: 20, progress: 1, error: null });
    expect(Date.parse(done.finishedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(done.createdAt));
    expect((await replays())[0]).toEqual(done);
    await create(1);
    for (const consumer of [prices, shared]) expect(items(await consumer.untilSeen(21))).toEqual(upTo(21));
    expect(items(await audit.untilSeen(41))).toEqual([...upTo(20), ...upTo(20), 21]);
  });

  test("events, id, from and to say which; a dry run counts them and sends none", async () => {
    await api.start();
    const audit = await consumers.start({ queue: "audit" });
    await create(3);
    await send("PATCH", `${api.url}/items/2`, { price: 1 });
    // A millisecond of its own, so that a time tells what is before it.
    await Bun.sleep(5);
    const middle = new Date().toISOString();
    await Bun.sleep(5);
    await send("DELETE", `${api.url}/items/2`);
    await create(2);
    await audit.untilSeen(7);
    for (const [selection, expected] of [
      [{}, ["1 created", "2 created", "3 created", "2 updated", "2 deleted", "4 created", "5 created"]],
      [{ events: ["item.updated", "*.deleted"] }, ["2 updated", "2 deleted"]],
      [{ id: 2 }, ["2 created", "2 updated", "2 deleted"]],
      [{ from: middle }, ["2 deleted", "4 created", "5 created"]],
      [{ to: middle }, ["1 created", "2 created", "3 created", "2 updated"]],
      [{ from: middle, to: middle.replace("Z", "+00:00") }, undefined],
      [{ from: "1999-01-01", to: "2999-12-31", events: ["item.*"], id: 3 }, ["3 created"]],
      [{ from: "2999-12-31" }, []],
      [{ id: 99 }, []],
    ] as const) {
      const body = { queue: "audit", ...selection };
      if (!expected) {
        expect((await post("/replays", body)).status).toBe(422);
        continue;
      }
      expect((await post("/replays", { ...body, dryRun: true })).body).toEqual({ count: expected.length });
      const before = audit.seen().length;
      const done = await finished(await startReplay(body));
      expect([done.state, done.sent, done.progress]).toEqual(["finished", expected.length, 1]);
      const seen = (await audit.untilSeen(before + expected.length)).slice(before);
      expect(seen.map(({ item, type }) => `${item} ${type.slice("item.".length)}`)).toEqual([...expected]);
    }
  });

  test("a dry run counts what the replay sends: what the queue does not take is neither counted nor sent", async () => {
    await api.start();
    const changes = await consumers.start({ queue: "changes", events: ["item.updated"] });
    await create(5);
    for (const id of [2, 3]) await send("PATCH", `${api.url}/items/${id}`, { price: 1 });
    await changes.untilSeen(2);
    for (const [selection, count] of [
      [{}, 2],
      [{ id: 3 }, 1],
      [{ events: ["item.created", "item.updated"] }, 2],
      [{ events: ["item.created"] }, 0],
    ] as const) {
      const body = { queue: "changes", ...selection };
      expect([selection, (await post("/replays", { ...body, dryRun: true })).body]).toEqual([selection, { count }]);
      expect([selection, (await finished(await startReplay(body))).sent]).toEqual([selection, count]);
    }
    await send("PATCH", `${api.url}/items/4`, { price: 1 });
    expect(items(await changes.untilSeen(8))).toEqual([2, 3, 2, 3, 3, 2, 3, 4]);
    expect(await post("/replays", { queue: "chagnes", dryRun: true })).toMatchObject({ status: 404 });
  });

  test("a rate holds it back, and its progress tells how far it is", async () => {
    await seedItems(folder.path, 150);
    await api.start();
    const audit = await consumers.start({ queue: "audit" });
    await audit.untilSeen(150);
    const began = performance.now();
    const replay = await startReplay({ queue: "audit", rate: 50 });
    const halfway = await eventually(async () => {
      const now = await get<Replay>(`/replays/${replay.id}`);
      return now.sent >= 75 ? now : undefined;
    }, "half of it");
    expect(halfway.state).toBe("running");
    expect(halfway.progress).toBeGreaterThan(0.4);
    expect(halfway.progress).toBeLessThan(1);
    expect((await finished(replay)).sent).toBe(150);
    // The first 50 at once, then 50 in a second.
    expect(performance.now() - began).toBeGreaterThan(1900);
    expect(items(await audit.untilSeen(300)).slice(150)).toEqual(upTo(150));
  });

  test("what is asked for in a wrong way is refused, each mistake with its place", async () => {
    await api.start();
    await consumers.start({ queue: "audit" });
    const unknown = await post("/replays", { queue: "no-such-queue" });
    expect([unknown.status, unknown.body["detail"]]).toEqual([404, expect.stringContaining('There is no queue "no-such-queue"')]);
    for (const [body, places] of [
      [{}, ["/queue"]],
      [{ queue: "../warren" }, ["/queue"]],
      [{ queue: "audit.dead" }, ["/queue"]],
      [{ queue: "audit", from: "yesterday" }, ["/from"]],
      [{ queue: "audit", from: "2026-02-30" }, ["/from"]],
      [{ queue: "audit", from: "1" }, ["/from"]],
      [{ queue: "audit", from: "2026-11-02", to: "2026-11-01" }, ["/to"]],
      [{ queue: "audit", to: "2026-13-01", events: ["item.crated"] }, ["/events", "/to"]],
      [{ queue: "audit", events: [] }, ["/events"]],
      [{ queue: "audit", id: 0 }, ["/id"]],
      [{ queue: "audit", rate: 0 }, ["/rate"]],
      [{ queue: "audit", rate: 1e-9 }, ["/rate"]],
      [{ queue: "audit", typo: true }, ["/typo"]],
    ] as const) {
      const answer = await post("/replays", body);
      expect([body, answer.status]).toEqual([body, 422]);
      const errors = answer.body["errors"] as { pointer: string }[];
      expect(errors.map(({ pointer }) => pointer)).toEqual([...places]);
    }
    expect((await send("GET", `${api.url}/replays/no-such-replay`)).status).toBe(404);
    expect({ replays: await replays() }).toEqual({
      replays: [expect.objectContaining({ kind: "fill" })].filter(() => rabbitmqUrl() !== "none"),
    });
  });

  test("a replay can be cancelled while it runs or waits for its turn, and nothing more comes of it, also after a restart", async () => {
    await seedItems(folder.path, 20);
    await api.start();
    const audit = await consumers.start({ queue: "audit" });
    await audit.untilSeen(20);
    const slow = await Promise.all(Array.from({ length: 4 }, () => startReplay({ queue: "audit", rate: 0.001 })));
    const waiting = await startReplay({ queue: "audit", rate: 1 });
    // Of each, its first event comes at once.
    await audit.untilSeen(24);
    const cancel = (id: string) => send("DELETE", `${api.url}/replays/${id}`);
    const cancelled = { state: "cancelled", error: null, finishedAt: expect.any(String) };
    for (const { id } of [waiting, ...slow.slice(1)]) expect(await (await cancel(id)).json()).toMatchObject({ id, ...cancelled });
    const [first] = slow as [Replay];
    await api.stop();
    await api.start();
    expect((await replays()).filter(({ state }) => state === "running").map(({ id }) => id)).toEqual([first.id]);
    expect(await (await cancel(first.id)).json()).toMatchObject({ ...cancelled, sent: expect.any(Number) });
    expect(await (await cancel(first.id)).json()).toMatchObject(cancelled);
    expect((await cancel("no-such-replay")).status).toBe(404);
    await create(1);
    await audit.untilItem(21);
    const seen = audit.seen();
    expect(seen.filter(({ replay }) => replay).every(({ item }) => item === 1)).toBe(true);
    // It has a place again.
    expect((await finished(await startReplay({ queue: "audit" }))).sent).toBe(21);
  });

  test("a replay says that no consumer of its queue runs", async () => {
    await api.start();
    const audit = await consumers.start({ queue: "audit" });
    await create(2);
    await audit.untilSeen(2);
    expect((await startReplay({ queue: "audit" })).note).toBeNull();
    await audit.untilSeen(4);
    await audit.stop();
    const { id, note } = await startReplay({ queue: "audit" });
    expect(note).toStartWith('No consumer of "audit" is running: the ');
    expect((await get<Replay>(`/replays/${id}`)).note).toBe(note);
  });

  test("a consumer that remembers what it has done absorbs a replay, unless it is forced", async () => {
    await api.start();
    const stock = await consumers.start({ queue: "stock", exactlyOnce: true });
    await create(5);
    await stock.untilSeen(5);
    const effects = () => {
      const db = new Database(join(folder.path, "data", "consumers", "stock.db"), { readonly: true });
      const { count } = db.query<{ count: number }, []>("SELECT count(*) AS count FROM effects").get() ?? { count: -1 };
      db.close();
      return count;
    };
    expect((await finished(await startReplay({ queue: "stock" }))).sent).toBe(5);
    await create(1);
    await stock.untilSeen(6);
    await eventually(() => (effects() === 6 ? true : undefined), "the effect of the sixth");
    await finished(await startReplay({ queue: "stock", force: true }));
    expect(items((await stock.untilSeen(12)).slice(6))).toEqual(upTo(6));
    await eventually(() => (effects() === 12 ? true : undefined), "the effects again");
  });
}

describe("replays without a broker", () => {
  onEither(() => "none");

  test("a replay continues after kill -9 of its consumer, and starts when there was none", async () => {
    await seedItems(folder.path, 2000);
    await api.start();
    const first = await consumers.start({ queue: "audit" });
    await first.untilSeen(2000);
    expect(await first.stop()).toBe(0);
    const replay = await startReplay({ queue: "audit", rate: 500 });
    expect(await get<Replay>(`/replays/${replay.id}`)).toMatchObject({ state: "running", sent: 0, progress: 0 });
    const second = await consumers.start({ queue: "audit" });
    const killedAt = (await second.untilSeen(800)).length;
    expect(killedAt).toBeLessThan(2000);
    await second.stop("SIGKILL");
    const third = await consumers.start({ queue: "audit" });
    const done = await finished(replay);
    expect([done.state, done.progress]).toEqual(["finished", 1]);
    const seen = [...second.seen(), ...third.seen()];
    expect(seen.every((event) => event.replay)).toBe(true);
    expect(new Set(items(seen)).size).toBe(2000);
    expect(third.seen().length).toBeLessThan(2000);
    expect(firstTimes(seen)).toEqual(firstTimes(first.seen()));
  });
});

describeWithRabbit("replays on RabbitMQ", () => {
  const rabbit = useOwnRabbit();
  onEither(() => rabbit().url);
  afterEach(() => emptyBroker(rabbit()));

  /** Declares a queue that no consumer works on. */
  async function declare(queue: string): Promise<void> {
    const connection = await connect(rabbit().url);
    await (await connection.createChannel()).assertQueue(queue, { durable: true });
    await connection.close();
  }

  test("a replayed message says so in its headers", async () => {
    await seedItems(folder.path, 1);
    await api.start();
    await declare("plain");
    const connection = await connect(rabbit().url);
    const channel = await connection.createChannel();
    for (const force of [false, true]) await finished(await startReplay({ queue: "plain", force }));
    const messages = [await channel.get("plain"), await channel.get("plain")];
    await connection.close();
    const headers = messages.map((message) => (message ? (message.properties.headers as Record<string, unknown>) : {}));
    expect(headers.map((each) => [each["x-replay"], each["x-replay-forced"], each["cloudEvents:type"]])).toEqual([
      [true, undefined, "item.created"],
      [true, true, "item.created"],
    ]);
  });

  test("a hundred slow replays take four channels and wait; others have their turn when those have ended", async () => {
    await seedItems(folder.path, 3);
    await api.start();
    await declare("plain");
    for (let n = 0; n < 99; n += 1) await startReplay({ queue: "plain", rate: 0.001 });
    await declare("other");
    const last = await startReplay({ queue: "other" });
    const channels = Number((await rabbit().ctl("-q", "list_connections", "channels", "--no-table-headers")).trim());
    expect(channels).toBeLessThan(16);
    const states = (await replays()).map(({ state }) => state);
    expect([states.filter((state) => state === "running").length, states.length]).toEqual([4, 100]);
    for (const { id } of await replays()) if (id !== last.id) await send("DELETE", `${api.url}/replays/${id}`);
    for (const { id, state } of await replays())
      if (state === "running" && id !== last.id) await send("DELETE", `${api.url}/replays/${id}`);
    expect(await finished(last)).toMatchObject({ state: "finished", sent: 3 });
  });

  test("a replay continues after kill -9 of the API in the middle", async () => {
    await seedItems(folder.path, 2000);
    await api.start();
    const audit = await consumers.start({ queue: "audit" });
    await audit.untilSeen(2000);
    const replay = await startReplay({ queue: "audit", rate: 500 });
    await audit.untilSeen(2800);
    await api.stop("SIGKILL");
    await api.start();
    expect((await get<Replay>(`/replays/${replay.id}`)).state).toBe("running");
    const done = await finished(replay);
    expect([done.state, done.progress]).toEqual(["finished", 1]);
    await eventually(() => (firstTimes(audit.seen().slice(2000)).length === 2000 ? true : undefined), "the whole replay");
    expect(firstTimes(audit.seen().slice(2000))).toEqual(firstTimes(audit.seen().slice(0, 2000)));
    // It did not begin again.
    expect(audit.seen().length).toBeLessThan(5000);
  });

  test("a replay goes on after RabbitMQ was killed in the middle; meanwhile a new one is refused with 503, and a dry run is not", async () => {
    await seedItems(folder.path, 1000);
    await api.start();
    const audit = await consumers.start({ queue: "audit" });
    await audit.untilSeen(1000);
    const replay = await startReplay({ queue: "audit", rate: 200 });
    await audit.untilSeen(1300);
    await rabbit().kill();
    await api.line("Lost the connection");
    const refused = await post("/replays", { queue: "audit" });
    expect([refused.status, refused.body["detail"]]).toEqual([503, expect.stringContaining("Cannot reach RabbitMQ")]);
    expect((await post("/replays", { queue: "audit", dryRun: true })).body).toEqual({ count: 1000 });
    expect((await get<Replay>(`/replays/${replay.id}`)).state).toBe("running");
    await rabbit().start();
    expect(await finished(replay)).toMatchObject({ state: "finished", progress: 1 });
    await eventually(() => (firstTimes(audit.seen().slice(1000)).length === 1000 ? true : undefined), "the whole replay");
    expect(firstTimes(audit.seen().slice(1000))).toEqual(firstTimes(audit.seen().slice(0, 1000)));
  });

  test("a queue that is deleted in the middle ends the replay, and says why", async () => {
    await seedItems(folder.path, 300);
    await api.start();
    const audit = await consumers.start({ queue: "audit" });
    await audit.untilSeen(300);
    expect(await audit.stop()).toBe(0);
    await filled();
    const replay = await startReplay({ queue: "audit", rate: 50 });
    await deleteQueue(rabbit(), "audit");
    const done = await finished(replay);
    expect([done.state, done.error]).toEqual(["failed", expect.stringContaining('"audit" was deleted')]);
    expect(done.progress).toBeLessThan(1);
  });
});
