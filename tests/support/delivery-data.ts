// Where the service and a consumer keep their data, and what is left of it when the consumer dies between two instructions of this program.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./folder";
import type { PostgresCluster } from "./postgres-cluster";
import { schemaWithQueues } from "./postgres-transport";
import { eventually } from "./processes";
import { startProxy } from "./proxy";

/** The data of one service and its consumers, in an empty place. */
export interface DeliveryData {
  /** DATABASE_URL and DATA_DIR of the API. */
  readonly environment: Readonly<Record<string, string>>;
  /** Opens the data for one life of a consumer. */
  open(): Promise<LivesData>;
  remove(): Promise<void>;
}

/** The data that one life of a consumer uses. */
export interface LivesData {
  readonly environment: Readonly<Record<string, string>>;
  /** Keeps the data as it is now, whatever the life still does. */
  die(): void;
  /** Removes what came after its death. Call it when nothing of it runs any more. */
  bury(): Promise<void>;
  /** Ends a life that has not died. */
  close(): void;
}

/** Files of SQLite. A death copies those of the consumer of a queue. */
export function sqliteData(queue: string): DeliveryData {
  const folder = temporaryFolder();
  const environment = { DATABASE_URL: `sqlite:${join(folder.path, "warren.db")}` };
  const files = ["", "-wal", "-shm"].map((suffix) => join(folder.path, "consumers", `${queue}.db${suffix}`));
  return {
    environment,
    async open() {
      let atDeath = new Map<string, Buffer | undefined>();
      return {
        environment,
        die() {
          atDeath = new Map(files.map((file) => [file, existsSync(file) ? readFileSync(file) : undefined]));
        },
        async bury() {
          for (const [file, bytes] of atDeath) {
            rmSync(file, { force: true });
            if (bytes && !file.endsWith("-shm")) writeFileSync(file, bytes);
          }
        },
        close() {},
      };
    },
    remove: async () => folder.remove(),
  };
}

/** A schema of PostgreSQL. A death closes the connections: what was not sent is lost, and the server undoes open transactions. */
export function postgresData(cluster: PostgresCluster): DeliveryData {
  const schema = schemaWithQueues(cluster);
  const folder = temporaryFolder();
  const environmentAt = (port: number) => {
    const url = new URL(schema.url);
    url.port = String(port);
    return { DATABASE_URL: url.href, DATA_DIR: folder.path };
  };
  return {
    environment: environmentAt(cluster.port),
    async open() {
      const proxy = await startProxy(cluster.port);
      let ports: readonly number[] = [];
      const sessions = () =>
        cluster.evaluate(
          `SELECT 1 FROM pg_stat_activity WHERE client_port = ANY ('{${ports.join(",")}}') AND backend_type = 'client backend'`,
        );
      return {
        environment: environmentAt(proxy.port),
        die() {
          ports = proxy.serverPorts;
          proxy.close();
        },
        bury: async () =>
          void (await eventually(async () => (await sessions()).length === 0 || undefined, "the sessions of the dead to end")),
        close: () => proxy.close(),
      };
    },
    async remove() {
      await schema.drop();
      folder.remove();
    },
  };
}
