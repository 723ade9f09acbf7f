import type { TransportUnderTest } from "./contract";
import { fewer } from "./in-full";
import { type PostgresSchema, schemaIn } from "./postgres";
import type { PostgresCluster } from "./postgres-cluster";

let schemas = 0;

/** Returns a schema of a cluster, with those of its queues, which `drop` drops. */
export function schemaWithQueues(cluster: PostgresCluster): PostgresSchema {
  schemas += 1;
  const schema = schemaIn(cluster, `queues_${schemas}`);
  return {
    ...schema,
    async drop() {
      const queues = await cluster.evaluate<{ name: string }>(
        `SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE '${schema.name}.%'`,
      );
      for (const { name } of queues) await cluster.evaluate(`DROP SCHEMA "${name}" CASCADE`);
      await schema.drop();
    },
  };
}

/** PostgreSQL, as the contract of all transports tests it. */
export function postgresTransport(cluster: () => PostgresCluster): TransportUnderTest {
  let schema: PostgresSchema | undefined;
  return {
    rabbitmqUrl: () => "none",
    databaseUrl: () => {
      schema = schemaWithQueues(cluster());
      return schema.url;
    },
    sharesQueues: true,
    load: Math.max(600, fewer(2000)),
    cleanUp: async () => schema?.drop(),
  };
}
