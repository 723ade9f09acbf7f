import type { Database } from "bun:sqlite";
import { uuidv7 } from "../../changes/commit-clock";
import type { EventRecord } from "../../store";
import { reading } from "../connection/reading";
import { entryColumns } from "./bounded-entries";

/** Rows searched before the event loop gets its turn. */
const slice = 10_000;

type Row = Omit<EventRecord, "relayed"> & { readonly relayed: number };

/**
 * Returns a function that finds an event of an open database by its id. Ids and log are both in the order of time, so a binary
 * search works without an index, which would slow down every write.
 *
 * Ids may be out of order where an earlier program wrote while the clock went back. If the binary search fails, the function
 * therefore scans the whole log, a slice at a time.
 */
export function eventFinder(db: Database): (id: string) => Promise<EventRecord | undefined> {
  const at = db.prepare<{ position: number; id: string }, [number]>(
    "SELECT position, id FROM events WHERE position >= ? ORDER BY position LIMIT 1",
  );
  const bounds = db.prepare<{ first: number | null; last: number | null }, []>(
    "SELECT (SELECT min(position) FROM events) AS first, (SELECT max(position) FROM events) AS last",
  );
  const within = db.prepare<{ position: number }, [number, number, string]>(
    "SELECT position FROM events WHERE position >= ? AND position < ? AND id = ?",
  );
  const record = db.prepare<Row, [number]>(
    `SELECT ${entryColumns}, requestId, requestedAt,
       position <= (SELECT position FROM relay) AS relayed,
       (SELECT at FROM relay_times WHERE relay_times.position >= events.position ORDER BY position LIMIT 1) AS relayedAt
     FROM events WHERE position = ?`,
  );

  function halve(id: string, first: number, last: number): number | undefined {
    let low = first;
    let high = last;
    while (low <= high) {
      const middle = Math.floor((low + high) / 2);
      const entry = at.get(middle);
      if (!entry) return undefined;
      if (entry.id === id) return entry.position;
      if (entry.id < id) low = entry.position + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  async function find(id: string): Promise<number | undefined> {
    const { first, last } = reading(() => bounds.get()) ?? { first: null, last: null };
    if (first === null || last === null || !uuidv7.test(id)) return undefined;
    const found = reading(() => halve(id, first, last));
    if (found !== undefined) return found;
    for (let from = first; from <= last; from += slice) {
      const row = reading(() => within.get(from, from + slice, id));
      if (row) return row.position;
      await new Promise(setImmediate);
    }
    return undefined;
  }

  return async (id) => {
    const position = await find(id);
    const row = position === undefined ? undefined : reading(() => record.get(position));
    return row ? { ...row, relayed: row.relayed === 1 } : undefined;
  };
}
