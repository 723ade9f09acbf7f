import { afterAll, beforeAll, describe, setDefaultTimeout } from "bun:test";
import type { PostgresAddress } from "../../src/config/postgres-url";
import { postgresAddress } from "../../src/config/postgres-url";
import { propertyFactor } from "./in-full";
import { isPostgresInstalled, type PostgresCluster, type PostgresOptions, startCluster } from "./postgres-cluster";

const maySkip = !process.env["NO_SKIP"];

/** Maximum duration of a test, in milliseconds. Connections and tables take their time on a busy machine; a test that hangs still ends. */
const longestMs = 300_000 * propertyFactor;

/** Same as `describe`, for tests on a real PostgreSQL. Skips them, with the reason, if PostgreSQL is not installed. */
export function describeWithPostgres(name: string, tests: () => void): void {
  setDefaultTimeout(longestMs);
  if (isPostgresInstalled || !maySkip) describe(name, tests);
  else describe.skip(`${name} (skipped: PostgreSQL is not installed; on Debian: apt-get install postgresql)`, tests);
}

/** A schema of a PostgreSQL database that only one block of tests uses. It does not exist at first. */
export interface PostgresSchema {
  readonly name: string;
  /** URL for DATABASE_URL. */
  readonly url: string;
  readonly address: PostgresAddress;
  /** Runs a script in the schema, on a connection of its own. Resolves with the rows of its last statement. */
  evaluate<Row = Record<string, unknown>>(script: string): Promise<Row[]>;
  /** Drops the schema, which may be created again. */
  drop(): Promise<void>;
}

/** A cluster that a test may kill, stop, freeze and configure, with schemas of it. */
export interface OwnPostgres extends PostgresCluster {
  schema(name?: string): PostgresSchema;
}

/** Starts a cluster of its own for the caller, who disposes of it. */
export async function startPostgres(options?: PostgresOptions): Promise<OwnPostgres> {
  const cluster = await startCluster(options);
  return { ...cluster, schema: (name = nextName()) => schemaIn(cluster, name) };
}

let sharedCluster: Promise<PostgresCluster> | undefined;
let schemas = 0;

/** Disposes of the cluster that the files of a test run share. */
export async function disposeSharedCluster(): Promise<void> {
  const cluster = await sharedCluster?.catch(() => undefined);
  sharedCluster = undefined;
  await cluster?.dispose();
}

/** Resolves with the cluster that all files share. A failed start fails one file, and the next one starts a cluster again. */
export function sharedPostgres(): Promise<PostgresCluster> {
  sharedCluster ??= startCluster().catch((error: unknown) => {
    sharedCluster = undefined;
    throw error;
  });
  return sharedCluster;
}

/**
 * Gives the tests of the surrounding block a schema on a cluster that all files of a run share, and drops it after the last test.
 * Returns a function that returns it.
 */
export function usePostgres(): () => PostgresSchema {
  let schema: PostgresSchema | undefined;
  beforeAll(async () => {
    schema = schemaIn(await sharedPostgres(), nextName());
  });
  afterAll(() => schema?.drop());
  return duringTests(() => schema);
}

/** As `usePostgres`, with a cluster of its own, for tests that kill, stop, freeze or configure it. */
export function useOwnPostgres(options?: PostgresOptions): () => OwnPostgres {
  let cluster: OwnPostgres | undefined;
  beforeAll(async () => {
    cluster = await startPostgres(options);
  });
  afterAll(() => cluster?.dispose());
  return duringTests(() => cluster);
}

/** Returns a schema of a cluster. Nothing is created. */
export function schemaIn(cluster: PostgresCluster, name: string): PostgresSchema {
  const url = `${cluster.url}?schema=${name}`;
  const address = postgresAddress(url);
  if (!("engine" in address)) throw new Error(`${url}: ${address.join("; ")}`);
  return {
    name,
    url,
    address,
    evaluate: (script) => cluster.evaluate(`SET search_path = "${name}"; ${script}`),
    drop: async () => void (await cluster.evaluate(`DROP SCHEMA IF EXISTS "${name}" CASCADE`)),
  };
}

function nextName(): string {
  schemas += 1;
  return `test_${schemas}`;
}

function duringTests<T>(find: () => T | undefined): () => T {
  return () => {
    const found = find();
    if (!found) throw new Error("PostgreSQL runs only during the tests of this block.");
    return found;
  };
}
