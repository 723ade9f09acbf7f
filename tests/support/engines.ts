// The engines of the store. Tests of its port run against each.
import { describe } from "bun:test";
import { join } from "node:path";
import type { Config } from "../../src/config/config";
import type { SqliteAddress } from "../../src/config/database-url";

/** Where the database and the consumers' stores are. */
export type Places = Pick<Config, "database" | "dataDir">;

/** Places of SQLite files. */
export interface SqlitePlaces extends Places {
  readonly database: SqliteAddress;
}

/** Returns places of SQLite files in a folder. */
export function sqliteIn(folder: string): SqlitePlaces {
  const file = join(folder, "warren.db");
  return { database: { engine: "sqlite", file, shown: file }, dataDir: folder };
}

/** For each engine, its name and a function that returns empty places, for which a test has a folder of its own. */
const engines: Readonly<Record<string, (folder: string) => Places>> = { SQLite: sqliteIn };

/** Declares the same tests for each engine. */
export function forEachEngine(declare: (placesIn: (folder: string) => Places) => void): void {
  describe.each(Object.entries(engines))("on %s", (_, placesIn) => declare(placesIn));
}
