// Measures two databases by turns: one in which WAITING timers wait that none of the changes is about, and one without. Changes are made in
// groups of 64. `DATABASE_URL=… OTHER_URL=… WAITING=1000000 SECONDS=2 bun bench/programs/waiting-timers.ts`
import { Database } from "bun:sqlite";
import { Type } from "@sinclair/typebox";
import { SQL } from "bun";
import { defineResource } from "warren/resource";
import { type Config, readConfig } from "../../src/config/config";
import { timerPage } from "../../src/delivery/shown-timers";
import { timerState } from "../../src/delivery/timer-state";
import { keepTimers } from "../../src/engine/timers";
import { createLog } from "../../src/observe/logging";
import { openStore } from "../../src/store/open";
import type { Store } from "../../src/store/store";
import { median } from "../statistics";

const loan = defineResource({ name: "loan", fields: { book: Type.String() }, events: { overdue: {} }, example: { book: "Middlemarch" } });
const waiting = Number(process.env["WAITING"]);
const phaseMs = Number(process.env["SECONDS"]) * 1000;
const turnMs = 50;
const [group, loans] = [64, 10_000];
const dayMs = 86_400_000;
const log = createLog({ level: "warn", format: "json", stream: 2 });
const anyId = () => 1 + Math.floor(Math.random() * loans);
const anyTime = () => Date.now() + dayMs * (1 + 30 * Math.random());

/** A database under measurement. */
interface Measured {
  readonly store: Store;
  readonly keeping: { stop(): Promise<void> };
  readonly sample: Record<string, number>;
  keys: number;
}

const both = [await open(process.env["DATABASE_URL"] ?? "", waiting), await open(process.env["OTHER_URL"] ?? "", 0)];
await measure("warmUp", insert);
await measure("insert", insert);
await measure("update", (each) => update(each, {}));
await measure("set", (each) => update(each, { later: [{ event: "overdue", at: new Date(anyTime()), key: `own:${nextKey(each)}` }] }));
const set = both.map(({ keys }) => keys);
await measure("cancel", (each, index) => update(each, { cancel: [`own:${1 + (nextKey(each) % (set[index] ?? 1))}`] }));
await readings("pageMs", ({ store }) => timerPage(store.timers, { limit: 50, after: { dueAt: anyTime(), number: 0 } }));
await readings("keyMs", ({ store }) => store.timers.list({ key: `expire:${Math.floor(Math.random() * waiting)}`, limit: 50 }));
await readings("scrapeMs", ({ store }) => timerState(store.timers));
console.log(JSON.stringify({ count: waiting, samples: both.map(({ sample }) => sample) }));
for (const { keeping, store } of both) {
  await keeping.stop();
  await store.close();
}

async function open(url: string, timers: number): Promise<Measured> {
  const config = readConfig({ isTerminal: false, listens: false, environment: { ...process.env, DATABASE_URL: url } });
  const first = await openStore(config, [loan]);
  for (let n = 0; n < loans; n += 1000) await Promise.all(Array.from({ length: 1000 }, () => first.insert(loan, loan.example)));
  await first.close();
  if (timers > 0) await setTimers(config, url, timers);
  const started = performance.now();
  const store = await openStore(config, [loan]);
  return { store, keeping: keepTimers(store, log), sample: { openMs: performance.now() - started }, keys: 0 };
}

/** Sets timers with one statement: through the store it takes minutes. */
async function setTimers({ database }: Config, url: string, count: number): Promise<void> {
  const from = Date.now() + dayMs;
  const columns = "key, resource, subject, event, version, data, depth, actor";
  if (database.engine === "sqlite") {
    const db = new Database(database.file);
    db.run(
      `INSERT INTO warren_timers (dueAt, ${columns})
       WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?1)
       SELECT ?2 + n * 2592, 'expire:' || n, 'loan', ?3 + n, 'overdue', 1, '{}', 0, 'ada' FROM numbers`,
      [count, from, 1 + loans],
    );
    db.close();
  } else {
    const sql = new SQL(url.split("?")[0] ?? "", { max: 1 });
    await sql.unsafe(`SET search_path = "${database.schema}"`);
    await sql.unsafe(
      `INSERT INTO warren_timers (due_at, ${columns})
       SELECT ${from} + n::bigint * 2592, 'expire:' || n, 'loan', ${1 + loans} + n, 'overdue', 1, '{}', 0, 'ada' FROM generate_series(0, ${count - 1}) n`,
    );
    await sql.close();
  }
}

function insert({ store }: Measured): Promise<unknown> {
  return store.insert(loan, loan.example);
}

function update({ store }: Measured, options: object): Promise<unknown> {
  return store.update(loan, anyId(), ({ book }) => ({ book: `${book}.`.slice(-40) }), options);
}

function nextKey(measured: Measured): number {
  measured.keys += 1;
  return measured.keys;
}

/** Makes changes in both by turns. Notes for each how many it takes in a second, and the CPU time of this process for one. */
async function measure(name: string, change: (of: Measured, index: number) => Promise<unknown>): Promise<void> {
  const sums = both.map(() => ({ done: 0, ms: 0, micros: 0 }));
  const turns = [...sums.entries()];
  while (sums.some(({ ms }) => ms < phaseMs)) {
    // The first one may have a disadvantage.
    for (const [index, sum] of turns.reverse()) {
      const [started, before] = [performance.now(), process.cpuUsage()];
      for (; performance.now() - started < turnMs; sum.done += group)
        await Promise.all(Array.from({ length: group }, () => change(both[index] as Measured, index)));
      sum.ms += performance.now() - started;
      const { user, system } = process.cpuUsage(before);
      sum.micros += user + system;
    }
  }
  for (const [index, { done, ms, micros }] of sums.entries()) {
    const { sample } = both[index] as Measured;
    sample[`${name}PerSecond`] = (done / ms) * 1000;
    sample[`${name}Micros`] = micros / done;
  }
}

/** Notes the median duration of a read. */
async function readings(name: string, read: (of: Measured) => Promise<unknown>): Promise<void> {
  const times = both.map((): number[] => []);
  for (let n = 0; n < 100; n += 1) {
    for (const [index, each] of both.entries()) {
      const started = performance.now();
      await read(each);
      times[index]?.push(performance.now() - started);
    }
  }
  for (const [index, { sample }] of both.entries()) sample[name] = median(times[index] ?? []);
}
