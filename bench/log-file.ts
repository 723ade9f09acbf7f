import { Database } from "bun:sqlite";

/** What is in Warren's database, read from the file itself and not asked of Warren. */
export interface LogFile {
  items(): number;
  events(): number;
  /** Whether everything is confirmed. Cheap, so that asking often disturbs nothing. */
  settled(): boolean;
  /** How many events are not confirmed. As cheap. */
  waiting(): number;
  /** The position up to which everything is confirmed. */
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
