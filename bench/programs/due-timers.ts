// Sets COUNT timers in an empty database, then turns them into events. Reports the time of each. `COUNT=100000 bun bench/programs/due-timers.ts FILE`
import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
import { keepTimers } from "../../src/engine/timers";
import { createLog } from "../../src/observe/logging";
import { openSqliteStore } from "../../src/store/sqlite/store";

const loan = defineResource({ name: "loan", fields: { book: Type.String() }, events: { overdue: {} }, example: { book: "Middlemarch" } });
const group = 1000;

const count = Number(process.env["COUNT"]);
const store = openSqliteStore(process.argv[2] ?? "", [loan]);
const started = performance.now();
for (let set = 0; set < count; set += group) {
  const inserts = Array.from({ length: group }, () =>
    store.insert(loan, loan.example, { later: [{ event: "overdue", at: "2026-01-01T00:00:00Z" }] }),
  );
  await Promise.all(inserts);
}
const due = performance.now();
const timers = keepTimers(store, createLog({ level: "warn", format: "json", stream: 2 }));
while ((await store.log.end()) < 2 * count) await Bun.sleep(10);
const done = performance.now();
await timers.stop();
console.log(JSON.stringify({ count: (await store.log.end()) - count, setSeconds: (due - started) / 1000, seconds: (done - due) / 1000 }));
await store.close();
