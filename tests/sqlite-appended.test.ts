// What listeners get of a commit: exactly the events that the log has of it, or nothing, so that they read the log.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { item } from "../src/domain/item";
import type { LogEntry } from "../src/store/log";
import { openSqliteStore } from "../src/store/sqlite/store";
import type { Store } from "../src/store/store";
import { CommitThreads } from "./support/commit-threads";
import { sqliteIn } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { refuseRows } from "./support/refuse-rows";
import { catalogue } from "./support/resources";

const fields = { name: "Zoë 😀", description: null, price: null };

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
let threads: CommitThreads;
let store: Store;
let appended: (readonly LogEntry[] | undefined)[];
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, "warren.db");
  threads = new CommitThreads();
});
afterEach(async () => {
  await store.close();
  threads.restore();
  folder.remove();
});

async function open(quickCommitSeconds: number): Promise<void> {
  store = openSqliteStore(file, catalogue.resources, { quickCommitSeconds });
  appended = [];
  await Promise.all(Array.from({ length: 10 }, () => store.insert(item, fields)));
  if (quickCommitSeconds === 0) await threads.opened;
  store.onAppend((events) => void appended.push(events));
}

/** The events of the log after the first ten. */
const logged = () => store.log.read(10, 10_000);

test.each([
  ["on the main thread", 1000],
  ["on the commit thread", 0],
])("each event of each commit %s, as the log has it, with its position", async (_, quickCommitSeconds) => {
  await open(quickCommitSeconds);
  await refuseRows(sqliteIn(folder.path), "items", "INSERT", "json");
  const changes: Promise<unknown>[] = [];
  for (let n = 0; n < 300; n += 1) {
    const context = { traceparent: n % 2 ? undefined : "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
    if (n % 50 === 49) changes.push(store.insert(item, { ...fields, name: "bad" }).catch(() => {}));
    else if (n % 7 === 0) changes.push(store.update(item, (n % 10) + 1, () => ({ ...fields, price: n }), context));
    else if (n % 11 === 0) changes.push(store.remove(item, n));
    else changes.push(store.insert(item, fields, context));
    if (n % 20 === 0) await new Promise(setImmediate);
  }
  await Promise.all(changes);
  expect(appended.flatMap((events) => events ?? [])).toEqual(await logged());
  expect(appended.length).toBeGreaterThan(1);
});

test("nothing of a commit that erases, be it its own events or earlier ones", async () => {
  await open(1000);
  const made = store.insert(item, fields);
  const erased = store.erase(item, 1);
  await Promise.all([made, erased]);
  await store.insert(item, fields);
  const known = appended.flatMap((events) => events ?? []);
  expect(appended).toContain(undefined);
  expect(await logged()).toEqual(expect.arrayContaining(known));
  // What comes after it is known again.
  expect(appended.at(-1)).toHaveLength(1);
});

test("the events of a transaction and of many records, in order", async () => {
  await open(1000);
  await store.insertAll(item, [fields, fields, fields], () => "");
  await store.transaction(async (tx) => {
    const { id } = await tx.insert(item, fields);
    await tx.update(item, id, { price: 1 });
  });
  expect(appended.map((events) => events?.length)).toEqual([3, 2]);
  expect(appended.flat()).toEqual(await logged());
});

test("after a restart the positions go on, also if the newest events were pruned", async () => {
  await open(1000);
  await store.close();
  store = openSqliteStore(file, catalogue.resources);
  await store.prune("9999-01-01T00:00:00.000Z", 10);
  store.onAppend((events) => void appended.push(events));
  await store.insert(item, fields);
  expect(appended).toEqual([await logged()]);
  expect(appended[0]?.[0]?.position).toBe(11);
});
