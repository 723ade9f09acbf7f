// Several API processes on one PostgreSQL: streams and feeds of each have what all of them write, and one prunes for all.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { openDatabase } from "../../src/store/postgres/connection/connection";
import { migrate, storeMigrations } from "../../src/store/postgres/schema/migrations";
import { ApiGroup } from "../support/api-group";
import { openEvents } from "../support/event-source";
import { isPgbouncerInstalled, type Pgbouncer, startPgbouncer } from "../support/pgbouncer";
import { describeWithPostgres, type OwnPostgres, startPostgres, usePostgres } from "../support/postgres";
import { type Api, endAll, eventually, send } from "../support/processes";
import { rejection } from "../support/rejection";

setDefaultTimeout(120_000);

interface Page {
  readonly events: readonly { readonly position: number; readonly event: { readonly id: string } }[];
  readonly next: number;
  readonly more: boolean;
}

describeWithPostgres("three processes", () => {
  const schema = usePostgres();
  let group: ApiGroup;
  afterEach(async () => {
    await endAll();
    await schema().drop();
  });

  async function start(env: Record<string, string> = {}): Promise<[Api, Api, Api]> {
    group = new ApiGroup(schema(), env);
    await group.start(3);
    return group.apis as [Api, Api, Api];
  }

  /** Creates items through all processes at once, one by one. */
  async function write(apis: readonly Api[], each: number): Promise<void> {
    await Promise.all(
      apis.map(async (api) => {
        for (let n = 0; n < each; n += 1) expect(await group.createOne(api)).toBe(201);
      }),
    );
  }

  test("a stream of one has what any of them writes, in the order of commits", async () => {
    const apis = await start();
    const streams = await Promise.all(apis.map((api) => openEvents(`${api.url}/events/stream?after=0`)));
    await write(apis, 100);
    const log = await group.log();
    for (const stream of streams) {
      const received = await stream.take(300);
      expect(received.map(({ data }) => (JSON.parse(data) as { id: string }).id)).toEqual(log);
      await stream.leave();
    }
  });

  test("a client that asks one process more than it may is refused by another", async () => {
    const [first, second] = await start({ RATE_LIMIT: "20" });
    await eventually(async () => {
      await Promise.all(Array.from({ length: 40 }, () => fetch(`${first.url}/items`)));
      const { status, headers } = await fetch(`${second.url}/items`);
      return status === 429 && headers.get("ratelimit-policy") === '"client";q=20;w=1' ? true : undefined;
    }, "the second process to refuse");
  });

  test("a client that goes from process to process misses nothing and gets nothing twice, while all of them write", async () => {
    const apis = await start();
    const total = 600;
    const writing = write(apis, total / 3);
    const seen: string[] = [];
    let lastEventId = "0";
    for (let turn = 0; seen.length < total; turn += 1) {
      const stream = await openEvents(`${(apis[turn % 3] as Api).url}/events/stream`, { "last-event-id": lastEventId });
      for (const { id, data } of await stream.take(Math.min(37, total - seen.length))) {
        seen.push((JSON.parse(data) as { id: string }).id);
        lastEventId = id;
      }
      await stream.leave();
    }
    await writing;
    expect(seen).toEqual(await group.log());
  });

  test("pages of one continue those of another", async () => {
    const apis = await start();
    const writing = write(apis, 100);
    const seen: string[] = [];
    for (let [turn, after] = [0, 0]; seen.length < 300; turn += 1) {
      const page = (await (await send("GET", `${(apis[turn % 3] as Api).url}/events?after=${after}&limit=23`)).json()) as Page;
      seen.push(...page.events.map(({ event }) => event.id));
      after = page.next;
    }
    await writing;
    expect(seen).toEqual(await group.log());
  });

  test("one of them answers a request with an idempotency key, whichever gets it first, and the others repeat its answer", async () => {
    const apis = await start();
    const ask = async (api: Api, key: string) => {
      const headers = { "content-type": "application/json", "idempotency-key": key };
      const answer = await fetch(`${api.url}/items`, { method: "POST", body: '{"name":"once"}', headers });
      return [answer.status, await answer.text()];
    };
    for (let n = 0; n < 20; n += 1) {
      const answers = await Promise.all([...apis, ...apis].map((api) => ask(api, `key-${n}`)));
      expect(new Set(answers.map(String)).size).toBe(1);
      expect(answers[0]?.[0]).toBe(201);
    }
    expect(await group.log()).toHaveLength(20);
  });

  test("a stream learns of what a process wrote that died before it could tell", async () => {
    const [first, second] = await start();
    const stream = await openEvents(`${second.url}/events/stream`);
    // Nobody is notified of this.
    await schema().evaluate(
      `INSERT INTO events (position, id, type, subject, timestamp, body) VALUES
         (nextval('warren_events_position'), gen_random_uuid(), 'item.created', 1, '2026-02-18T18:23:45.123Z', '{"id":"x"}')`,
    );
    expect((await stream.take(1)).map(({ event }) => event)).toEqual(["item.created"]);
    await stream.leave();
    expect(await group.createOne(first)).toBe(201);
  });

  test("one of them prunes for all, and another one when it is gone", async () => {
    const apis = await start({ EVENT_RETENTION: "1s" });
    const status = async (api: Api) => (await send("GET", `${api.url}/events?after=0&limit=1`)).status;
    const pruned = (left: readonly Api[]) =>
      eventually(
        async () => ((await Promise.all(left.map(status))).every((each) => each === 410) ? true : undefined),
        "the events to be gone",
      );
    await group.create(apis[0], 50);
    await pruned(apis);
    const leader = await group.leader("retention");
    await leader.stop("SIGKILL");
    const left = group.others(leader);
    const [{ to } = { to: 0 }] = await schema().evaluate<{ to: number }>(`SELECT pruned_to::int AS "to" FROM meta`);
    await group.create(left[0] as Api, 50);
    await eventually(async () => {
      const [now] = await schema().evaluate<{ to: number }>(`SELECT pruned_to::int AS "to" FROM meta`);
      return (now?.to ?? 0) > to || undefined;
    }, "what is new to be pruned, too");
    await pruned(left);
  });
});

const describeWithPgbouncer = isPgbouncerInstalled || process.env["NO_SKIP"] ? describeWithPostgres : describe.skip;

describeWithPgbouncer("three processes behind PgBouncer", () => {
  let cluster: OwnPostgres;
  let pooler: Pgbouncer;
  afterEach(async () => {
    await endAll();
    await pooler.dispose();
    await cluster.dispose();
  });

  test("hear of each other's changes and take over from each other, although no notification comes through", async () => {
    cluster = await startPostgres();
    pooler = await startPgbouncer(cluster, 20);
    const schema = cluster.schema();
    const address = { ...schema.address, port: pooler.port, isPooled: true };
    const database = openDatabase(address);
    const { message } = await rejection(migrate(database, address, storeMigrations));
    await database.close();
    await cluster.evaluate(/: (ALTER ROLE .*;)$/.exec(message)?.[1] ?? "");
    await pooler.reconnect();
    const group = new ApiGroup(schema, { DATABASE_URL: `${schema.url.replace(`:${cluster.port}/`, `:${pooler.port}/`)}&pgbouncer=true` });
    await group.start(3);
    const streams = await Promise.all(group.apis.map((api) => openEvents(`${api.url}/events/stream?after=0`)));
    for (let n = 0; n < 30; n += 1) expect(await group.createOne(group.apis[n % 3] as Api)).toBe(201);
    const log = await group.log();
    for (const stream of streams) {
      expect((await stream.take(30)).map(({ data }) => (JSON.parse(data) as { id: string }).id)).toEqual(log);
      await stream.leave();
    }
    const leader = await group.leader("log");
    await leader.stop("SIGKILL");
    expect(group.others(leader)).toContain(await group.leader("log", [leader]));
  });
});

describeWithPostgres("a database that does not answer", () => {
  let cluster: OwnPostgres;
  afterEach(async () => {
    cluster.thaw();
    await endAll();
    await cluster.dispose();
  });

  test("does not keep a process from ending, with 0 and within ten seconds", async () => {
    cluster = await startPostgres();
    const group = new ApiGroup(cluster.schema(), { EVENT_RETENTION: "1s" });
    await group.start(2);
    const [first] = group.apis as [Api];
    await group.leader("log");
    cluster.freeze();
    // It waits for an answer of the database.
    const answer = fetch(`${first.url}/items/1`).catch(() => undefined);
    await eventually(async () => ((await fetch(`${first.url}/health/live`)).ok ? true : undefined), "the process to be alive");
    const codes = await Promise.all(group.apis.map((api) => api.stop("SIGTERM")));
    expect(codes).toEqual([0, 0]);
    await answer;
  });
});

describeWithPostgres("a database that is restarted under three processes", () => {
  let cluster: OwnPostgres;
  afterEach(async () => {
    await endAll();
    await cluster.dispose();
  });

  test("makes them unavailable, and they work again by themselves, with every change that was answered", async () => {
    cluster = await startPostgres();
    const schema = cluster.schema();
    const group = new ApiGroup(schema, {});
    await group.start(3);
    const statuses = new Map<number, number>();
    const created: number[] = [];
    const stopping = new AbortController();
    const writers = group.apis.map(async (api) => {
      while (!stopping.signal.aborted) {
        const answer = await send("POST", `${api.url}/items`, { name: "item" });
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const body = (await answer.json()) as { id?: number };
        if (answer.status === 201) created.push(body.id ?? 0);
      }
    });
    const leader = await group.leader("log");
    for (let turn = 0; turn < 2; turn += 1) {
      const before = created.length;
      await eventually(() => created.length > before + 100 || undefined, "changes");
      await cluster.kill();
      await cluster.start();
    }
    const before = created.length;
    await eventually(() => created.length > before + 100 || undefined, "changes after the restart");
    stopping.abort();
    await Promise.all(writers);
    expect([...statuses.keys()].filter((status) => status !== 201 && status !== 503)).toEqual([]);
    const stored = await schema.evaluate<{ subject: number }>("SELECT subject::int FROM events WHERE type = 'item.created'");
    const subjects = new Set(stored.map(({ subject }) => subject));
    expect(created.filter((id) => !subjects.has(id))).toEqual([]);
    expect(new Set(created).size).toBe(created.length);
    // Somebody leads, and streams go on.
    expect(group.apis).toContain(await group.leader("log"));
    const stream = await openEvents(`${leader.url}/events/stream`);
    expect(await group.createOne(group.others(leader)[0] as Api)).toBe(201);
    expect(await stream.take(1)).toHaveLength(1);
    await stream.leave();
  });
});
