import { isLocal, type PostgresAddress } from "../../config/postgres-url";
import type { Advice, ServerInspection, StoreInspection } from "../inspection";
import { openDatabase, usualConnections } from "./connection/connection";
import type { Queries } from "./connection/queries";
import { inspectQueues } from "./consumer/inspect";
import { schemaVersionOf, storeMigrations } from "./schema/migrations";
import { lackedRights } from "./schema/rights";
import { obstaclesOf } from "./schema/server";
import { sizeOf } from "./schema/size";
import { aboutUnfinished, unfinishedMove } from "./schema/unfinished-move";

/**
 * Inspects the server, the schema, and those of the queues. Writes nothing.
 *
 * @throws {Error} if the database cannot be reached.
 */
export async function inspectSchema(address: PostgresAddress): Promise<StoreInspection> {
  const database = openDatabase(address, { readers: 1 });
  try {
    const server = await inspectServer(database, address);
    const move = await unfinishedMove(database);
    const queues = await inspectQueues(database, address);
    const obstacles = [...server.obstacles, ...(move ? [aboutUnfinished(move)] : []), ...queues.obstacles];
    return {
      database: {
        shown: address.shown,
        bytes: await sizeOf(database, address),
        pendingBytes: 0,
        // PostgreSQL looks for damage itself, if its data has checksums.
        damage: [],
        schemaVersion: await schemaVersionOf(database).catch(() => 0),
        neededVersion: storeMigrations.length,
        server: { ...server, obstacles },
      },
      consumers: queues.stores,
    };
  } finally {
    await database.close();
  }
}

interface Facts {
  readonly version: string;
  readonly is_standby: boolean;
  readonly is_read_only: boolean;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
  readonly autovacuum: string;
  readonly used: number;
  readonly most: number;
  readonly is_encrypted: boolean | null;
  readonly is_superuser: boolean;
  readonly oldest_seconds: number | null;
  readonly clock: number;
}

const factsOfServer = `SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS is_standby,
  current_setting('transaction_read_only') = 'on' AS is_read_only,
  current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
  current_setting('synchronous_commit') AS synchronous_commit, current_setting('autovacuum') AS autovacuum,
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
  (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS is_encrypted,
  (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
  (SELECT extract(epoch FROM max(clock_timestamp() - xact_start))::float8 FROM pg_stat_activity
   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS oldest_seconds,
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS clock`;

export async function inspectServer(queries: Queries, address: PostgresAddress): Promise<ServerInspection> {
  const before = Date.now();
  const [facts] = await queries.query<Facts>(factsOfServer);
  if (!facts) throw new Error(`The database ${address.shown} says nothing about itself`);
  const lacked = await lackedRights(queries, address);
  return {
    product: `PostgreSQL ${facts.version}`,
    obstacles: [...(await obstaclesOf(queries, address)), ...standingIn(facts, address), ...(lacked ? [lacked] : [])],
    dangers: [...dangersIn(facts)],
    connections: { used: facts.used, most: facts.most, perProcess: usualConnections },
    isEncrypted: facts.is_encrypted === true,
    isRemote: !isLocal(address.host),
    user: address.user,
    isSuperuser: facts.is_superuser,
    oldestTransactionSeconds: facts.oldest_seconds,
    clockAheadMs: Math.round(facts.clock - (before + Date.now()) / 2),
  };
}

function* standingIn({ is_standby, is_read_only }: Facts, { shown }: PostgresAddress): Generator<Advice> {
  if (is_standby)
    yield {
      what: `The database ${shown} is a standby, which is read-only`,
      todo: "Use the address of the primary server in DATABASE_URL.",
    };
  else if (is_read_only)
    yield {
      what: `The database ${shown} is read-only`,
      todo: "Look at default_transaction_read_only of the server, the database and the role.",
    };
}

function* dangersIn(facts: Facts): Generator<Advice> {
  const todo = "Turn it on in postgresql.conf.";
  if (facts.fsync !== "on") yield { what: "fsync is off: a crash of the machine damages the database", todo };
  if (facts.full_page_writes !== "on") yield { what: "full_page_writes is off: a crash of the machine can damage the database", todo };
  if (facts.synchronous_commit === "off")
    yield {
      what: "synchronous_commit is off: a crash of the server loses the last commits, whose events were perhaps sent",
      todo: "Turn it on for the server, the database and the role.",
    };
  if (facts.autovacuum !== "on") yield { what: "autovacuum is off: tables grow without bound", todo };
}
