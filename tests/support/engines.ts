// The engines of the store. Tests of its port run against each.
import { afterAll, beforeAll, describe, setDefaultTimeout } from "bun:test";
import { join } from "node:path";
import type { Config } from "../../src/config/config";
import type { SqliteAddress } from "../../src/config/database-url";
import { fewer, isInFull, propertyFactor } from "./in-full";
import { describeWithPostgres, type PostgresSchema, schemaIn, sharedPostgres } from "./postgres";
import type { PostgresCluster } from "./postgres-cluster";

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

/** Returns the value of DATABASE_URL for places of tests. */
export function urlOf({ database }: Places): string {
  if (database.engine === "sqlite") return `sqlite:${database.file}`;
  const { user, host, port, schema } = database;
  return `postgres://${user}@${host}:${port}/${database.database}?schema=${schema}`;
}

/** Returns environment variables for a program that uses places of tests, as `environment` does for a SQLite file in a folder. */
export function environmentOf(places: Places, rabbitmqUrl = "none"): Record<string, string> {
  return { DATABASE_URL: urlOf(places), DATA_DIR: places.dataDir, PORT: "0", RABBITMQ_URL: rabbitmqUrl };
}

/** Returns empty places for the folder that a test has for itself. */
type PlacesIn = (folder: string) => Places;

export interface EngineUnderTest {
  /** Returns how often to run a property: as often as given on SQLite, a tenth of that on PostgreSQL, and ten times as often in the deep suite. */
  readonly times: (count: number) => number;
  /** True if long tests run, too: on SQLite, and on PostgreSQL in the deep suite. */
  readonly isInFull: boolean;
}

type Declare = (placesIn: PlacesIn, engine: EngineUnderTest) => void;

/** Declares the same tests for each engine. */
export function forEachEngine(declare: Declare): void {
  setDefaultTimeout(120_000 * propertyFactor);
  describe("on SQLite", () => declare(sqliteIn, { times: (count) => count * propertyFactor, isInFull: true }));
  describeWithPostgres("on PostgreSQL", () => declare(usePostgresPlaces(), { times: fewer, isInFull }));
}

/** Same as {@link forEachEngine}, with PostgreSQL in the deep suite only: for many tests of the same parts of the store. */
export function forEachEngineInFull(declare: Declare): void {
  setDefaultTimeout(120_000);
  if (isInFull) forEachEngine(declare);
  else describe("on SQLite", () => declare(sqliteIn, { times: (count) => count, isInFull: true }));
}

/** Returns a function that returns places with a schema for each folder, on the cluster of the run. Drops the schemas after the block. */
function usePostgresPlaces(): PlacesIn {
  const schemas = new Map<string, PostgresSchema>();
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await sharedPostgres();
  });
  afterAll(async () => {
    for (const schema of schemas.values()) await schema.drop();
  });
  return (folder) => {
    let schema = schemas.get(folder);
    if (!schema) {
      schema = schemaIn(cluster, `test_${Bun.hash(folder).toString(36)}`);
      schemas.set(folder, schema);
    }
    return { database: schema.address, dataDir: folder };
  };
}
