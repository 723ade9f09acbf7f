import type { Database } from "bun:sqlite";
import type { LogEntry, LogReader } from "../../log";
import { reading } from "../connection/reading";
import { entryColumns } from "./bounded-entries";
import { logScanner } from "./log-scan";
import { backScanner } from "./log-scan-back";

export function logIdOf(db: Database): string {
  return db.query<{ log_id: string }, []>("SELECT log_id FROM meta").get()?.log_id ?? "";
}

/** Returns a function that returns the ids of the newest events, at most `count`. */
export function newestEvents(db: Database): (count: number) => Set<string> {
  const newest = db.prepare<{ id: string }, [number]>("SELECT id FROM events ORDER BY position DESC LIMIT ?");
  return (count) => new Set(newest.all(count).map(({ id }) => id));
}

/** Reads the event log of an open database. */
export function sqliteLogReader(db: Database): LogReader {
  const read = db.prepare<LogEntry, [number, number]>(`SELECT ${entryColumns} FROM events WHERE position > ? ORDER BY position LIMIT ?`);
  const lastUsed = db.prepare<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  const first = db.prepare<{ position: number }, []>("SELECT position FROM events ORDER BY position LIMIT 1");
  const at = db.prepare<{ position: number; timestamp: string }, [number]>(
    "SELECT position, timestamp FROM events WHERE position >= ? ORDER BY position LIMIT 1",
  );
  const end = () => lastUsed.get()?.seq ?? 0;
  // A change that is not committed uses up no position, so only pruned events are missing.
  const pruned = () => {
    // Read the end first: events committed between the two reads must not count as pruned.
    const last = end();
    return (first.get()?.position ?? last + 1) - 1;
  };
  const scan = logScanner(db, end);
  const scanBack = backScanner(db, end);
  /** Binary search for a time. The log is in the order of time, and an index would slow down every write. */
  function search(time: string): number {
    let low = 0;
    let high = end();
    while (low < high) {
      const middle = Math.floor((low + high) / 2) + 1;
      const entry = at.get(middle);
      if (entry && entry.timestamp < time) low = entry.position;
      else high = middle - 1;
    }
    return low;
  }
  return {
    read: async (position, limit) => reading(() => read.all(position, limit)),
    scan: async (position, wanted) => reading(() => scan(position, wanted)),
    scanBack: async (position, wanted) => reading(() => scanBack(position, wanted)),
    end: async () => reading(end),
    pruned: async () => reading(pruned),
    positionBefore: async (time) => reading(() => search(time)),
  };
}
