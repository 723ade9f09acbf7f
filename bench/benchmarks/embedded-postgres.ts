import { cpSync } from "node:fs";
import { laneCount } from "../../src/store/postgres/consumer/schema";
import type { PostgresSchema } from "../../tests/support/postgres";
import { environment, eventually } from "../../tests/support/processes";
import { type Benchmark, type Contender, type Context, mustEqual } from "../benchmark";
import type { BenchPostgres } from "../postgres";
import { fillPostgres } from "../seeded";
import { startWarren } from "../servers";
import { speedOf, startShares } from "../shares";

const columnsOf = (perSecond: number): Benchmark["columns"] => [
  { key: "perSecond", label: "events/s", digits: 0, limit: { atLeast: perSecond } },
  { key: "cpuMicros", label: "CPU µs/event", digits: 1 },
  { key: "databaseMicros", label: "database CPU µs/event", digits: 1 },
];

/** `act`: a row in a table of its own, and a change of a record. */
type Effects = "none" | "once" | "act";

/** The lanes of a queue that a process holds while `processes` consume it. */
const lanesOf = (processes: number) => laneCount / processes;

const logs = new Map<string, Promise<PostgresSchema>>();
let queues = 0;

/** Resolves with a schema whose log has as many events, to be copied. */
function logIn(server: BenchPostgres, events: number): Promise<PostgresSchema> {
  const key = String(events);
  const known = logs.get(key) ?? fillPostgres(server.schema(), { items: events, updates: 0 });
  logs.set(key, known);
  return known;
}

/** Processes of one queue that read the log in PostgreSQL. Its events appear at once, when the processes have shared the queue. */
function onPostgres(name: string, effects: Effects, processes: number): Contender {
  return {
    name,
    async run({ events, folder, postgres }: Context) {
      const server = await postgres();
      const full = await logIn(server, events);
      const schema = await fillPostgres(server.schema(), { items: 0, updates: 0 });
      queues += 1;
      const queue = `bench-${queues}`;
      const own = `"${schema.name}.${queue}"`;
      const consumers = startShares(processes, { ...environment(folder), DATABASE_URL: schema.url, QUEUE: queue, EFFECTS: effects });
      await eventually(async () => {
        const shares = await schema
          .evaluate<{ lanes: string }>(`SELECT count(*) AS lanes FROM ${own}.warren_lanes WHERE holder IS NOT NULL GROUP BY holder`)
          .catch(() => []);
        return (shares.length === processes && shares.every(({ lanes }) => Number(lanes) === lanesOf(processes))) || undefined;
      }, "the processes to share the queue");
      const cpu = await server.cpuCounter();
      if (effects === "act") await schema.evaluate(`INSERT INTO items SELECT * FROM "${full.name}".items`);
      // Further events follow these.
      await schema.evaluate(`SELECT setval('warren_events_position', (SELECT max(position) FROM "${full.name}".events))`);
      await schema.evaluate(`INSERT INTO events SELECT * FROM "${full.name}".events`);
      await consumers.handled(events);
      const databaseMicros = await cpu(events);
      const shares = await consumers.end();
      const handled = shares.reduce((sum, { count }) => sum + count, 0);
      const [row] = await schema.evaluate<{ behind: string; effects: string; changes: string }>(
        `SELECT greatest(0, (SELECT max(position) FROM events WHERE type = 'item.created') - (SELECT min(position) FROM ${own}.warren_progress)) AS behind,
           ${effects === "none" ? String(events) : `(SELECT count(DISTINCT event) FROM ${own}.effects)`} AS effects,
           (SELECT count(*) FROM events WHERE type = 'item.updated') AS changes`,
      );
      mustEqual({ handled, expected: events, effects: Number(row?.effects) });
      mustEqual({ changes: Number(row?.changes), expected: effects === "act" ? events : 0 });
      mustEqual({ "events behind": Number(row?.behind), expected: 0 });
      await schema.evaluate(`DROP SCHEMA ${own} CASCADE`);
      await schema.drop();
      return { ...speedOf(shares), databaseMicros };
    },
  };
}

/** One process that reads the log in SQLite. */
function onSqlite(effects: Effects): Contender {
  return {
    name: "sqlite",
    async run({ events, folder, seeded }: Context) {
      cpSync(await seeded({ items: events, updates: 0 }), folder, { recursive: true });
      const api = effects === "act" ? await startWarren(folder) : undefined;
      const consumer = startShares(1, { ...environment(folder), EFFECTS: effects });
      await consumer.handled(events);
      const shares = await consumer.end();
      await api?.stop();
      mustEqual({ handled: shares[0]?.count ?? 0, expected: events });
      return { ...speedOf(shares), databaseMicros: 0 };
    },
  };
}

const common = { needs: ["postgres"], columns: columnsOf(3000) } as const;

export const embeddedPostgres: Benchmark = {
  ...common,
  name: "embedded-postgres",
  title: "Without a broker: a consumer with a trivial handler reading a backlog on PostgreSQL vs. on SQLite",
  warren: onPostgres("postgres", "none", 1),
  baseline: onSqlite("none"),
};

export const embeddedPostgresOnce: Benchmark = {
  ...common,
  name: "embedded-postgres-once",
  title: "Without a broker: a consumer with exactly-once effects, one row per event, on PostgreSQL vs. on SQLite",
  warren: onPostgres("postgres", "once", 1),
  baseline: onSqlite("once"),
};

export const embeddedPostgresTwo: Benchmark = {
  ...common,
  name: "embedded-postgres-two",
  title: "Without a broker, on PostgreSQL: two processes of one queue with exactly-once effects vs. one",
  warren: onPostgres("two processes", "once", 2),
  baseline: onPostgres("one process", "once", 1),
};

export const actingOncePostgres: Benchmark = {
  ...common,
  columns: columnsOf(1000),
  name: "acting-once-postgres",
  title:
    "Exactly-once handlers, one row and one change of a record per event: on PostgreSQL, in one transaction, vs. on SQLite, through the API",
  warren: onPostgres("postgres", "act", 1),
  baseline: onSqlite("act"),
};
