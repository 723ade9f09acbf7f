// Changes that arrive while the commit of others is under way: they run meanwhile, and are sent before its end if they do not depend on it.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { item } from "../src/domain/item";
import { openDatabase } from "../src/store/postgres/connection/connection";
import type { Database } from "../src/store/postgres/connection/queries";
import { lockKey } from "../src/store/postgres/schema/migrations";
import type { Store } from "../src/store/store";
import { describeWithPostgres } from "./support/postgres";
import { eventually } from "./support/processes";
import { useStores } from "./support/use-stores";

describeWithPostgres("while a commit is under way", () => {
  const { stores, schema } = useStores(1, [item]);
  const [store] = stores as [Store];
  let database: Database;
  beforeEach(() => {
    database = openDatabase(schema().address);
  });
  afterEach(() => database.close());

  const raise = (id: number) => store.update(item, id, (current) => ({ ...current, price: (current.price ?? 0) + 1 }));
  /** Begins a change, and resolves when its commit waits for the lock. */
  const sent = async <T>(change: Promise<T>) => {
    const waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    void change.catch(() => {});
    await eventually(async () => ((await database.query(waiting)).length > 0 ? true : undefined), "a commit to wait");
    return { change };
  };
  /** Runs work while no commit can be made. */
  const withoutCommits = <T>(work: (change: (sql: string) => Promise<unknown>) => Promise<T>) =>
    database.transaction(async ({ query }) => {
      await query("SELECT pg_advisory_xact_lock($1::bigint)", lockKey(schema().name, "commit"));
      return work((sql) => query(sql));
    });
  const stored = async (id: number) => JSON.parse((await store.get(item, id))?.json ?? "{}") as { price: number; version: number };
  const log = async () => (await store.log.read(0, 100)).map(({ type, subject }) => `${type} ${subject}`);

  test("changes that do not depend on it are committed, also if it has to be made again", async () => {
    const { id } = await store.insert(item, { ...item.example, price: 1 });
    const { made, inserts } = await withoutCommits(async (change) => {
      const { change: made } = await sent(raise(id));
      const inserts = Promise.all([store.insert(item, item.example), store.insert(item, item.example)]);
      // They run in this turn of the event loop.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      // As another process does.
      await change(`UPDATE items SET version = 2, json = replace(replace(json, '"version":1', '"version":2'), '"price":1', '"price":50')`);
      return { made, inserts };
    });
    expect([(await made)?.version, await stored(id)]).toMatchObject([3, { price: 51, version: 3 }]);
    const ids = (await inserts).map((each) => each.id);
    expect(new Set([id, ...ids]).size).toBe(3);
    expect(await log()).toEqual([`item.created ${id}`, ...ids.map((each) => `item.created ${each}`), `item.updated ${id}`]);
  });

  test("changes of the same record follow it", async () => {
    const { id } = await store.insert(item, { ...item.example, price: 1 });
    const all = await withoutCommits(async () => {
      const { change } = await sent(raise(id));
      return [change, raise(id), raise(id), store.remove(item, id), raise(id)];
    });
    expect((await Promise.all(all)).map((each) => each?.version)).toEqual([2, 3, 4, 4, undefined]);
    expect(await log()).toEqual([`item.created ${id}`, ...[1, 2, 3].map(() => `item.updated ${id}`), `item.deleted ${id}`]);
  });
});
