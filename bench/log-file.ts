import { Database } from "bun:sqlite";

/** Content of Warren's database, read from the file itself and not through Warren. */
export interface LogFile {
  items(): number;
  events(): number;
  /** Returns the position of the last event. Cheap enough to poll without disturbing a measurement, as what follows. */
  end(): number;
  /** Returns the ID of the last item. */
  lastItem(): number;
  /** Returns whether every event is confirmed. */
  settled(): boolean;
  /** Returns the number of unconfirmed events. */
  waiting(): number;
  /** Returns the position up to which every event is confirmed. */
  confirmed(): number;
  close(): void;
}

export function openLogFile(file: string): LogFile {
  const db = new Database(file, { readonly: true });
  // Prepared at the first call: not every log belongs to items.
  const number = (sql: string) => () => db.query<{ n: number }, []>(sql).get()?.n ?? 0;
  const end = number("SELECT coalesce(max(position), 0) AS n FROM events");
  const confirmed = number("SELECT position AS n FROM relay");
  return {
    items: number("SELECT count(*) AS n FROM items"),
    events: number("SELECT count(*) AS n FROM events"),
    end,
    lastItem: number("SELECT coalesce(max(id), 0) AS n FROM items"),
    settled: () => confirmed() === end(),
    waiting: () => Math.max(0, end() - confirmed()),
    confirmed,
    close: () => db.close(),
  };
}
