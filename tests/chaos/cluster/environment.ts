import { type OwnPostgres, type PostgresSchema, startPostgres } from "../../support/postgres";
import { type RabbitCluster, startCluster } from "../../support/rabbit-cluster";

/** The servers that all runs use, each run with a schema of its own and empty queues. */
export interface Environment {
  readonly postgres: OwnPostgres;
  readonly rabbit: RabbitCluster;
  /** Heals the servers, empties the brokers and resolves with a new schema. */
  fresh(): Promise<PostgresSchema>;
  dispose(): Promise<void>;
}

/** Starts a PostgreSQL and three brokers for the caller, who disposes of them. None of it outlives this process. */
export async function startEnvironment(): Promise<Environment> {
  const [postgres, rabbit] = await Promise.all([startPostgres(), startCluster()]);
  return {
    postgres,
    rabbit,
    async fresh() {
      await heal(postgres, rabbit);
      await rabbit.nodes[0]?.evaluate(
        `[rabbit_amqqueue:delete(Queue, false, false, <<"tests">>) || Queue <- rabbit_amqqueue:list(<<"/">>)]`,
      );
      return postgres.schema();
    },
    dispose: async () => void (await Promise.all([postgres.dispose(), rabbit.dispose()])),
  };
}

/** Starts and thaws what a strike has left stopped or frozen. */
export async function heal(postgres: OwnPostgres, rabbit: RabbitCluster): Promise<void> {
  postgres.thaw();
  if (!postgres.isUp()) await postgres.start();
  await Promise.all(
    rabbit.nodes.map(async (node) => {
      if (node.isFrozen()) await node.thaw();
      if (!node.isUp()) await node.start();
    }),
  );
  await rabbit.settled();
}
