import { Database } from "bun:sqlite";

/** Content of Warren's database, read from the file itself and not through Warren. */
export interface LogFile {
  items(): number;
  events(): number;
  /** Returns whether every event is confirmed. Cheap enough to poll without disturbing a measurement. */
  settled(): boolean;
  /** Returns the number of unconfirmed events. Equally cheap. */
  waiting(): number;
  /** Returns the position up to which every event is confirmed. */
  confirmed(): number;
  close(): void;
}

export function openLogFile(file: string): LogFile {
  const db = new Database(file, { readonly: true });
  const number = (sql: string) => {
    const query = db.query<{ n: number }, []>(sql);
    return () => query.get()?.n ?? 0;
  };
  const end = number("SELECT coalesce(max(position), 0) AS n FROM events");
  const confirmed = number("SELECT position AS n FROM relay");
  return {
    items: number("SELECT count(*) AS n FROM items"),
    events: number("SELECT count(*) AS n FROM events"),
    settled: () => confirmed() === end(),
    waiting: () => Math.max(0, end() - confirmed()),
    confirmed,
    close: () => db.close(),
  };
}
