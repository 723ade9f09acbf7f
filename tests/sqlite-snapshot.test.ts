// Reads share a transaction until the next commit; nobody sees that but by its speed.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { item } from "../src/domain/item";
import { sqliteIn } from "./support/engines";
import { testInFull } from "./support/in-full";
import { eventually } from "./support/processes";
import { useStore } from "./support/use-store";

const { places, store } = useStore(sqliteIn, [item]);
const file = () => places().database.file;

const fields = (name: string) => ({ name, description: null, price: null });

// How long 60 MB take is the disk's affair.
testInFull(
  "reads between all commits do not keep SQLite's write-ahead log from restarting",
  async () => {
    const long = fields("long");
    const first = await store.insert(item, long);
    for (let n = 0; n < 300; n += 1) {
      await Promise.all(Array.from({ length: 100 }, () => store.insert(item, { ...long, description: "x".repeat(1000) })));
      await store.get(item, first.id);
    }
    // 60 MB were written; the log is taken back to its start whenever it has about 16 MB.
    expect(statSync(`${file()}-wal`).size).toBeLessThan(25_000_000);
  },
  60_000,
);

test("a service at rest holds no transaction", async () => {
  const { id } = await store.insert(item, fields("first"));
  await store.get(item, id);
  const other = new Database(file());
  const checkpoint = () => other.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy;
  await eventually(() => (checkpoint() === 0 ? true : undefined), "the end of the transaction");
  expect(statSync(`${file()}-wal`).size).toBe(0);
  other.close();
});
