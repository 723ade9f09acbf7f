import { type PostgresAddress, postgresAddress } from "./postgres-url";

/** Address of the database. Only src/store/ opens it, and only src/store/open.ts looks at `engine`. */
export type DatabaseAddress = SqliteAddress | PostgresAddress;

export interface SqliteAddress {
  readonly engine: "sqlite";
  /** Path of the database file. */
  readonly file: string;
  /** The address as messages show it. */
  readonly shown: string;
}

export const defaultDatabase: SqliteAddress = sqliteAddress("data/warren.db");

/** The forms that DATABASE_URL may have, for error messages. */
const expected = "use sqlite:<path>, such as sqlite:data/warren.db, or postgres://user:password@host:5432/database";

/** Returns the address in the value of DATABASE_URL, or the mistakes in it, each as advice without secrets. */
export function parseDatabaseUrl(text: string): DatabaseAddress | readonly string[] {
  if (/^postgres(ql)?:/i.test(text)) return postgresAddress(text);
  const path = /^sqlite:(?:\/\/(?=\/))?(?!\/\/)([^:?]+)$/.exec(text)?.[1];
  return path === undefined || path.endsWith("/") ? [expected] : sqliteAddress(path);
}

function sqliteAddress(file: string): SqliteAddress {
  return { engine: "sqlite", file, shown: file };
}
