// Only reads an event log in batches and parses each event. `bun bench/baselines/raw-read.ts FILE`
import { Database } from "bun:sqlite";
import { startClock } from "../clock";

const db = new Database(process.argv[2] ?? "", { readonly: true });
const batch = db.prepare<{ position: number; body: string }, [number]>(
  "SELECT position, body FROM events WHERE position > ? ORDER BY position LIMIT 256",
);
const clock = startClock();
let read = 0;
let position = 0;
for (let rows = batch.all(position); rows.length > 0; rows = batch.all(position)) {
  for (const row of rows) {
    if (typeof JSON.parse(row.body).id === "string") read += 1;
    position = row.position;
  }
}
console.log(JSON.stringify(clock(read)));
db.close();
