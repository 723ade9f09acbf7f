import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { leftovers } from "./folder";
import { freePort } from "./net";
import type { PostgresCluster } from "./postgres-cluster";
import { giveToPostgres, runAsPostgres } from "./postgres-cluster";
import { endWithTest, eventually } from "./processes";

const program = "/usr/sbin/pgbouncer";

export const isPgbouncerInstalled = existsSync(program);

/** A PgBouncer of this process, in front of a cluster. */
export interface Pgbouncer {
  readonly port: number;
  /** Ends its connections to the server once they are free, so that new ones have the present settings of their role. */
  reconnect(): Promise<void>;
  /** Kills it. */
  kill(): Promise<void>;
  /** Starts it again after `kill`. */
  start(): Promise<void>;
  /** Stops it and removes its files. */
  dispose(): Promise<void>;
}

/** Starts a PgBouncer that gives each transaction any of a few sessions of the cluster. It does not check passwords. */
export async function startPgbouncer(cluster: PostgresCluster, sessions = 3): Promise<Pgbouncer> {
  const folder = mkdtempSync(join(leftovers.parent, "warren-pgbouncer-"));
  const withdraw = leftovers.runAtEnd(`rm -rf ${folder}`);
  const port = freePort();
  const [settings, users] = [join(folder, "pgbouncer.ini"), join(folder, "users.txt")];
  writeFileSync(users, '"warren" ""\n"service" ""\n');
  writeFileSync(
    settings,
    `[databases]
* = host=127.0.0.1 port=${cluster.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
admin_users = warren
pool_mode = transaction
default_pool_size = ${sessions}
server_login_retry = 1
`,
  );
  giveToPostgres(folder);
  let server: Bun.Subprocess;
  const console_ = () =>
    new Bun.SQL({ adapter: "postgres", hostname: "127.0.0.1", port, username: "warren", database: "pgbouncer", max: 1, tls: "disable" });
  const command = async (text: string) => {
    const sql = console_();
    try {
      await sql.unsafe(text).simple();
    } finally {
      await sql.close({ timeout: 0 });
    }
  };
  async function start(): Promise<void> {
    server = Bun.spawn(runAsPostgres([program, settings]), { cwd: "/", stdout: "ignore", stderr: "ignore" });
    endWithTest(server);
    await eventually(
      () =>
        command("SHOW VERSION").then(
          () => true,
          () => undefined,
        ),
      "PgBouncer to listen",
    );
  }
  async function kill(): Promise<void> {
    server.kill("SIGKILL");
    await server.exited;
  }
  await start();
  return {
    port,
    start,
    kill,
    reconnect: () => command("RECONNECT"),
    dispose: async () => {
      await kill();
      withdraw();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
