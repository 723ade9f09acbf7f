// The engines of the store. Tests of its port run against each.
import { describe } from "bun:test";
import { join } from "node:path";
import type { Config } from "../../src/config/config";

/** Where the database and the consumers' stores are. */
export type Places = Pick<Config, "database" | "dataDir">;

/** Returns places of SQLite files in a folder. */
export function sqliteIn(folder: string): Places {
  const file = join(folder, "warren.db");
  return { database: { file, shown: file }, dataDir: folder };
}

/** For each engine, its name and a function that returns empty places, for which a test has a folder of its own. */
const engines: Readonly<Record<string, (folder: string) => Places>> = { SQLite: sqliteIn };

/** Declares the same tests for each engine. */
export function forEachEngine(declare: (placesIn: (folder: string) => Places) => void): void {
  describe.each(Object.entries(engines))("on %s", (_, placesIn) => declare(placesIn));
}
