// Reads share a transaction until the next commit; nobody sees that but by its speed.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { item } from "../src/domain/item";
import { sqliteIn } from "./support/engines";
import { eventually } from "./support/processes";
import { useStore } from "./support/use-store";

const { places, store } = useStore(sqliteIn, [item]);
const file = () => places().database.file;

const fields = (name: string) => ({ name, description: null, price: null });

test("a read sees every change that was answered before, and no other", async () => {
  const { id } = await store.insert(item, fields("first"));
  for (let n = 0; n < 50; n += 1) {
    expect(JSON.parse((await store.get(item, id))?.json ?? "")).toMatchObject({ version: n + 1 });
    const change = store.update(item, id, () => fields(`change ${n}`));
    expect((await store.get(item, id))?.version).toBe(n + 1);
    await change;
    expect((await store.list(item, { limit: 10 })).rows[0]?.version).toBe(n + 2);
  }
  await store.remove(item, id);
  expect(await store.get(item, id)).toBeUndefined();
});

test("a change that is refused, or a read that fails, leaves the next ones alone", async () => {
  const { id } = await store.insert(item, fields("first"));
  await store.get(item, id);
  const no = () => {
    throw new Error("no");
  };
  await expect(store.update(item, id, no)).rejects.toThrow("no");
  await expect(store.list(item, { limit: 10, sort: ["nonsense"] })).rejects.toThrow();
  expect((await store.get(item, id))?.version).toBe(1);
  await store.update(item, id, () => fields("second"));
  expect((await store.get(item, id))?.version).toBe(2);
});

// How long 60 MB take is the disk's affair.
test("reads between all commits do not keep SQLite's write-ahead log from restarting", async () => {
  const long = fields("long");
  const first = await store.insert(item, long);
  for (let n = 0; n < 300; n += 1) {
    await Promise.all(Array.from({ length: 100 }, () => store.insert(item, { ...long, description: "x".repeat(1000) })));
    await store.get(item, first.id);
  }
  // 60 MB were written; the log is taken back to its start whenever it has about 16 MB.
  expect(statSync(`${file()}-wal`).size).toBeLessThan(25_000_000);
}, 60_000);

test("a service at rest holds no transaction", async () => {
  const { id } = await store.insert(item, fields("first"));
  await store.get(item, id);
  const other = new Database(file());
  const checkpoint = () => other.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy;
  await eventually(() => (checkpoint() === 0 ? true : undefined), "the end of the transaction");
  expect(statSync(`${file()}-wal`).size).toBe(0);
  other.close();
});
