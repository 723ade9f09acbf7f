import { join } from "node:path";
import { SQL } from "bun";
import { environment } from "../tests/support/processes";
import { type Context, mustEqual } from "./benchmark";
import { openLogFile } from "./log-file";
import { databaseIn } from "./seeded";
import { heldItems, type Server, startServer } from "./servers";

/** A service under load whose changes become messages of RabbitMQ. */
export interface Publisher {
  readonly server: Server;
  /** Queue that receives an event of each change. */
  readonly queue: string;
  /** Number of events from before the load that went to other queues. */
  readonly elsewhere: number;
  /** The requests of wrk, as in load.lua. */
  readonly requests: readonly string[];
  /** Number of events that a request leads to. */
  readonly perRequest: number;
  /** Resolves with the number of events that there are, or must be soon. */
  created(): Promise<number>;
  /** Resolves with the number of events that RabbitMQ has confirmed. */
  confirmed(): Promise<number>;
  /**
   * Stops the service, which finishes what it has begun. Resolves with the number of its events.
   *
   * @throws {VoidRun} if an event is not confirmed then.
   */
  stop(): Promise<number>;
  /** Starts to measure the processes of the database, if it has any. The returned function reports as `cpuCounter` does. */
  databaseCpu?(): Promise<(count: number) => Promise<number>>;
}

/** The requests of wrk, the queue of their events, and how many events went to other queues before. */
export type Posted = Pick<Publisher, "queue" | "elsewhere" | "requests" | "perRequest">;

const items: Posted = { queue: "item_events", elsewhere: 0, requests: ["post"], perRequest: 1 };

/** Starts Warren on SQLite. */
export const startSqlite = (context: Context) => startProgram(context, "src/main.ts", items);

/** Starts Warren on SQLite, with quorum queues. */
export const startWithQuorum = (context: Context) => startProgram(context, "src/main.ts", items, { QUEUE_TYPE: "quorum" });

/** Starts a program that is an API of Warren's, on SQLite. */
export async function startProgram(
  { folder, broker }: Context,
  program: string,
  posted: Posted,
  settings: Record<string, string> = {},
): Promise<Publisher> {
  const env = { ...environment(folder, (await broker()).url), ...settings };
  const publisher = await startOnFile(program, databaseIn(folder), env, posted);
  await publisher.server.line("Connected to RabbitMQ");
  return publisher;
}

export async function startPeer({ folder, broker }: Context): Promise<Publisher> {
  const file = join(folder, "peer.db");
  return startOnFile("bench/baselines/peer.ts", file, { DATABASE: file, RABBITMQ_URL: (await broker()).url }, items);
}

/** Starts a program that keeps its events in a file as Warren does, and the position up to which they are confirmed. */
async function startOnFile(program: string, file: string, env: Record<string, string>, posted: Posted): Promise<Publisher> {
  const server = await startServer(program, env);
  const log = openLogFile(file);
  return {
    ...posted,
    server,
    created: async () => log.end(),
    confirmed: async () => log.confirmed(),
    async stop() {
      await server.stop();
      const events = log.events();
      mustEqual({ "events in the log": events, confirmed: log.confirmed() });
      log.close();
      return events;
    },
  };
}

/** Starts Warren, one process, on PostgreSQL. */
export async function startPostgres({ folder, broker, postgres }: Context): Promise<Publisher> {
  const database = await postgres();
  const schema = database.schema();
  const server = await startServer("src/main.ts", { ...environment(folder, (await broker()).url), DATABASE_URL: schema.url });
  await server.line("Connected to RabbitMQ");
  const { host, port, user, database: name } = schema.address;
  // Stays open, since a connection costs the server more than a query.
  const sql = new SQL({ adapter: "postgres", hostname: host, port, username: user, database: name, max: 1, tls: "disable" });
  const number = async (what: string, table: string) => {
    const [row] = await sql.unsafe<{ n: string }[]>(`SELECT ${what} AS n FROM "${schema.name}".${table}`);
    return Number(row?.n);
  };
  const confirmed = () => number("position", "relay");
  return {
    ...items,
    server,
    created: () => number("coalesce(max(position), 0)", "events"),
    confirmed,
    databaseCpu: () => database.cpuCounter(),
    async stop() {
      await server.stop();
      const events = await number("count(*)", "events");
      mustEqual({ "events in the log": events, confirmed: await confirmed() });
      await sql.close();
      await schema.drop();
      return events;
    },
  };
}

/** Starts the sketch, which waits for no confirms. What has arrived in its queue counts in their place. */
export async function startSketch(context: Context): Promise<Publisher> {
  const broker = await context.broker();
  const server = await startServer("bench/baselines/sketch.ts", { RABBITMQ_URL: broker.url });
  return {
    ...items,
    server,
    created: () => heldItems(server),
    confirmed: () => broker.depth(items.queue),
    async stop() {
      const events = await heldItems(server);
      await server.stop();
      return events;
    },
  };
}
