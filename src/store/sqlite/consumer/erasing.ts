import { Database } from "bun:sqlite";
import type { ConsumerStores } from "../../consumer/stores";
import { scrub } from "../scrub";

/**
 * Deletes what a consumer keeps of some events from its file, and rewrites the file so that their bytes are gone. Returns the number of
 * waiting events and dead letters.
 */
export function eraseEvents(file: string, isChosen: Parameters<ConsumerStores["erase"]>[1], isDryRun: boolean): number {
  const db = new Database(file, { strict: true });
  let count = 0;
  try {
    const work = db.transaction(() => {
      const chosen = new Set<string>();
      for (const table of ["warren_waiting", "warren_dead"]) {
        const remove = db.prepare(`DELETE FROM ${table} WHERE number = ?`);
        const rows = db.query<{ number: number; id: string; body: string }, []>(`SELECT number, id, body FROM ${table}`);
        // All numbers first: a deletion would disturb the query.
        const found = [...rows.iterate()].filter(isChosen).map(({ number, id }) => ({ number, id }));
        count += found.length;
        if (isDryRun) continue;
        for (const { number, id } of found) {
          remove.run(number);
          chosen.add(id);
        }
      }
      if (isDryRun) return;
      const attempts = db.query<{ id: string }, []>("SELECT DISTINCT id FROM warren_attempts").all();
      for (const { id } of attempts)
        if (chosen.has(id) || isChosen({ id, body: "" })) db.run("DELETE FROM warren_attempts WHERE id = ?", [id]);
    });
    if (isDryRun) work.deferred();
    else work.immediate();
  } finally {
    db.close();
  }
  if (!isDryRun) scrub(file);
  return count;
}
