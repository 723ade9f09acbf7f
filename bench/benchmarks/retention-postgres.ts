import { pino } from "pino";
import { item } from "../../src/domain/item";
import { pruneOnce } from "../../src/engine/retention";
import { openPostgresStore } from "../../src/store/postgres/store";
import type { Store } from "../../src/store/store";
import type { PostgresSchema } from "../../tests/support/postgres";
import { type Benchmark, type Context, type Sample, VoidRun } from "../benchmark";
import { createLog } from "../large-log";
import { ownCpu } from "../list-kinds";
import type { BenchPostgres } from "../postgres";

const many = 10_000_000;
/** Number of events that are kept: those of a month. */
const kept = 1_000_000;
const monthMs = 30 * 24 * 3_600_000;
const everyMs = monthMs / kept;
const items = 100_000;
/** Number of reads of each kind. */
const reads = 2000;
const aim = { atMost: 1.2 };

/** Removes old events as EVENT_RETENTION does, and reads what is left. */
export const retentionPostgres: Benchmark = {
  name: "retention-postgres",
  title: `a log of ${many.toLocaleString("en-US")} events pruned to ${kept.toLocaleString("en-US")} vs. one that had no more, on PostgreSQL, reads in CPU µs`,
  needs: ["postgres"],
  rounds: 1,
  columns: [
    { key: "seconds", label: "pruned in s", digits: 1 },
    { key: "dead", label: "dead rows", digits: 0, limit: { atMost: 100_000 } },
    { key: "megabytes", label: "MB", digits: 0, aim },
    { key: "position", label: "100 by position", digits: 0, aim },
    { key: "subject", label: "those of an item", digits: 0, aim },
    { key: "id", label: "one by id", digits: 0, aim },
  ],
  warren: { name: "pruned", run: (context) => measured(context, context.size ?? many) },
  baseline: { name: "never larger", run: (context) => measured(context, kept) },
};

async function measured(context: Context, events: number): Promise<Sample> {
  const server = await context.postgres();
  const schema = server.schema();
  await createLog(schema, { events, items, everyMs }, context);
  const store = await openPostgresStore(schema.address, [item]);
  const started = performance.now();
  if (events > kept) await prune(schema, store, new Date(Date.now() - monthMs));
  const seconds = (performance.now() - started) / 1000;
  const costs = await costsOf(server, store);
  await store.close();
  const sample = { seconds, ...(await standing(schema)), ...costs };
  await schema.drop();
  return sample;
}

/** Prunes, until nothing is left to delete either. */
async function prune(schema: PostgresSchema, store: Store, before: Date): Promise<void> {
  const consumers = { slowest: async () => null };
  const log = pino({ level: "silent" });
  for (let [stored, last] = [await storedIn(schema), Number.NaN]; stored !== last; ) {
    await pruneOnce({ config: { eventRetentionMs: monthMs }, store, isRelayed: false, consumers, log }, before);
    [stored, last] = [await storedIn(schema), stored];
  }
}

async function storedIn(schema: PostgresSchema): Promise<number> {
  return (await schema.evaluate<{ stored: number }>("SELECT count(*)::int AS stored FROM events"))[0]?.stored ?? 0;
}

/** Resolves with the CPU time of this process and the server per read. */
async function costsOf(server: BenchPostgres, store: Store): Promise<Record<"position" | "subject" | "id", number>> {
  const end = await store.log.end();
  const all = { types: null, limit: 100, maxLength: 1_000_000 };
  const anywhere = () => end - 100 - Math.floor(Math.random() * (kept - 1000));
  const [known] = await store.log.read(end - 1, 1);
  const cost = async (read: () => Promise<number>, rows: number) => {
    for (const isMeasured of [false, true]) {
      const [own, ofServer] = [ownCpu(), await server.cpuCounter()];
      for (let turn = 0; turn < reads; turn += 1) if ((await read()) < rows) throw new VoidRun(`a read found less than ${rows} events`);
      if (isMeasured) return own() / reads + (await ofServer(reads));
    }
    return Number.NaN;
  };
  return {
    position: await cost(async () => (await store.log.read(anywhere(), 100)).length, 100),
    subject: await cost(
      async () => (await store.log.scan(0, { ...all, subject: 1 + Math.floor(Math.random() * items) })).entries.length,
      kept / items - 1,
    ),
    id: await cost(async () => ((await store.find(known?.id ?? "")) ? 1 : 0), 1),
  };
}

async function standing(schema: PostgresSchema): Promise<{ dead: number; megabytes: number }> {
  const [found] = await schema.evaluate<{ dead: number; megabytes: number }>(
    `SELECT sum(n_dead_tup)::int AS dead, (sum(pg_total_relation_size(relid)) / 1e6)::float8 AS megabytes
     FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname LIKE 'warren\\_events\\_%'`,
  );
  return found ?? { dead: Number.NaN, megabytes: Number.NaN };
}
