import type { Database } from "bun:sqlite";
import { unavailable } from "./group-commit";
import type { LogEntry, LogReader } from "./store";

export function logIdOf(db: Database): string {
  return db.query<{ log_id: string }, []>("SELECT log_id FROM meta").get()?.log_id ?? "";
}

/** Reads the event log of an open database. */
export function sqliteLogReader(db: Database): LogReader {
  const read = db.prepare<LogEntry, [number, number]>(
    "SELECT position, id, type, subject, timestamp, body, traceparent FROM events WHERE position > ? ORDER BY position LIMIT ?",
  );
  const end = db.prepare<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  const at = db.prepare<{ position: number; timestamp: string }, [number]>(
    "SELECT position, timestamp FROM events WHERE position >= ? ORDER BY position LIMIT 1",
  );
  /** Halves the log, which is in the order of time; an index would cost every write. */
  function search(time: string): number {
    let low = 0;
    let high = end.get()?.seq ?? 0;
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
    end: async () => reading(() => end.get()?.seq ?? 0),
    positionBefore: async (time) => reading(() => search(time)),
  };
}

/** Names what is the store's trouble as such. */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unavailable(error);
  }
}
