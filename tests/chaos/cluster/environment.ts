import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificateAuthority } from "../../support/certificate";
import { temporaryFolder } from "../../support/folder";
import { isPgbouncerInstalled, type Pgbouncer, startPgbouncer } from "../../support/pgbouncer";
import { type OwnPostgres, type PostgresSchema, startPostgres } from "../../support/postgres";
import { canLimitDisk } from "../../support/postgres-cluster";
import { schemaWithQueues } from "../../support/postgres-transport";
import { type RabbitCluster, startCluster } from "../../support/rabbit-cluster";
import type { RabbitNode } from "../../support/rabbit-node";
import { type DatabaseWay, directWay, encryptedWay, pooledWay, poolerRole } from "./ways";

/** The servers that all runs use, each run with a schema of its own and empty queues. */
export interface Environment {
  readonly postgres: OwnPostgres;
  /** Undefined if PgBouncer is not installed. */
  readonly pooler: Pgbouncer | undefined;
  readonly rabbit: RabbitCluster;
  /** Ways of programs to the database: some go through the pooler, some use TLS. */
  readonly ways: readonly [DatabaseWay, ...DatabaseWay[]];
  /** True if PostgreSQL has a disk of its own, which can be filled. */
  readonly hasOwnDisk: boolean;
  /** Heals the servers, empties them and resolves with a new schema. */
  fresh(): Promise<PostgresSchema>;
  dispose(): Promise<void>;
}

/** Size of PostgreSQL's disk: enough for a long round. It is in memory, but the write-ahead log is not. */
const diskMiB = 1024;
/** Sessions of the server that the pooler gives to programs. */
const sessions = 12;

/** Starts a PostgreSQL, a pooler and three brokers for the caller, who disposes of them. None of it outlives this process. */
export async function startEnvironment(): Promise<Environment> {
  const folder = temporaryFolder();
  const authority = certificateAuthority();
  const authorityFile = join(folder.path, "authority.pem");
  writeFileSync(authorityFile, authority.cert);
  const hasOwnDisk = canLimitDisk();
  const disk = hasOwnDisk ? { diskMiB, isLogApart: true } : {};
  const [postgres, rabbit] = await Promise.all([startPostgres({ tls: authority.issue(["127.0.0.1"]), ...disk }), startCluster()]);
  const pooler = isPgbouncerInstalled ? await startPgbouncer(postgres, sessions) : undefined;
  if (pooler) await postgres.evaluate(`CREATE ROLE ${poolerRole} LOGIN SUPERUSER`);
  const ways = [directWay(postgres), ...(pooler ? [pooledWay(postgres, pooler)] : []), encryptedWay(postgres, authorityFile)] as const;
  let schema: PostgresSchema | undefined;
  return {
    postgres,
    pooler,
    rabbit,
    ways,
    hasOwnDisk,
    async fresh() {
      await heal(postgres, rabbit);
      await rabbit.nodes[0]?.evaluate(
        `[rabbit_amqqueue:delete(Queue, false, false, <<"tests">>) || Queue <- rabbit_amqqueue:list(<<"/">>)]`,
      );
      await schema?.drop();
      schema = schemaWithQueues(postgres);
      for (const way of ways) await way.prepare(schema);
      return schema;
    },
    async dispose() {
      await pooler?.dispose();
      await Promise.all([postgres.dispose(), rabbit.dispose()]);
      folder.remove();
    },
  };
}

/** Time that a thawed broker gets to come back to the others by itself, in milliseconds. */
const rejoinMs = 20_000;

/** Lets a suspended broker go on. One that the others took for dead may stay alone, so it is started again then. */
export async function thaw(rabbit: RabbitCluster, node: RabbitNode): Promise<void> {
  await node.thaw();
  try {
    await rabbit.settled(rejoinMs);
  } catch {
    await node.kill();
    await node.start();
    await rabbit.settled();
  }
}

/** Starts and thaws what a strike has left stopped or frozen. */
export async function heal(postgres: OwnPostgres, rabbit: RabbitCluster): Promise<void> {
  postgres.thaw();
  if (!postgres.isUp()) await postgres.start();
  await Promise.all(rabbit.nodes.map((node) => (node.isUp() ? undefined : node.start())));
  for (const node of rabbit.nodes) if (node.isFrozen()) await thaw(rabbit, node);
  await rabbit.settled();
}
