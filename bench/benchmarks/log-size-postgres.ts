import type { PostgresSchema } from "../../tests/support/postgres";
import { environment } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample } from "../benchmark";
import { cpuCounter } from "../cpu";
import { createLog } from "../large-log";
import { mustMatchAnswers, startServer } from "../servers";
import { load } from "../wrk";

const many = 10_000_000;
const few = 10_000;
const logOf = (events: number) => ({ events, items: events / 10, everyMs: 1000 });
const warmUpSeconds = 3;
const aim = { atMost: 1.2 };

/** As `log-size`, on PostgreSQL. */
export const logSizePostgres: Benchmark = {
  name: "log-size-postgres",
  title: `POST /items with ${many.toLocaleString("en-US")} events in the log vs. ${few.toLocaleString("en-US")}, on PostgreSQL`,
  needs: ["wrk", "postgres"],
  rounds: 3,
  columns: [
    { key: "bothMicros", label: "CPU µs/req", digits: 1, aim },
    { key: "cpuMicros", label: "of the process", digits: 1 },
    { key: "databaseMicros", label: "of the database", digits: 1, aim },
    { key: "p50Ms", label: "p50 ms", digits: 2, aim },
    { key: "perSecond", label: "req/s", digits: 0, aim: { atLeast: 1 / aim.atMost } },
  ],
  warren: { name: "many", run: async (context) => measured(await largeLog(context), context) },
  baseline: {
    name: "few",
    async run(context) {
      const schema = (await context.postgres()).schema();
      await createLog(schema, logOf(few), context);
      const sample = await measured(schema, context);
      await schema.drop();
      return sample;
    },
  },
};

let large: Promise<PostgresSchema> | undefined;

/** Returns the large log, which the rounds share: their requests add little to it. */
function largeLog(context: Context): Promise<PostgresSchema> {
  large ??= (async () => {
    const schema = (await context.postgres()).schema();
    await createLog(schema, logOf(context.size ?? many), context);
    return schema;
  })();
  return large;
}

async function measured(schema: PostgresSchema, { folder, seconds, postgres }: Context): Promise<Sample> {
  const database = await postgres();
  const before = await countIn(schema);
  const api = await startServer("src/main.ts", { ...environment(folder), DATABASE_URL: schema.url });
  const warmUp = await load(api.url, warmUpSeconds, ["post"]);
  await schema.evaluate("CHECKPOINT");
  const [cpu, databaseCpu] = [cpuCounter(api.pid), await database.cpuCounter()];
  const loaded = await load(api.url, seconds, ["post"]);
  const { perSecond, p50Ms, answers } = loaded;
  const [cpuMicros, databaseMicros] = [cpu(answers), await databaseCpu(answers)];
  await api.stop();
  const after = await countIn(schema);
  mustEqual({ "new items": after.items - before.items, "new events": after.events - before.events });
  mustMatchAnswers(after.items - before.items, warmUp, loaded);
  return { bothMicros: cpuMicros + databaseMicros, cpuMicros, databaseMicros, p50Ms, perSecond };
}

async function countIn(schema: PostgresSchema): Promise<{ items: number; events: number }> {
  const [counts] = await schema.evaluate<{ items: number; events: number }>(
    `SELECT (SELECT count(*) FROM items)::int AS items, (SELECT last_value FROM warren_events_position)::int AS events`,
  );
  return counts ?? { items: 0, events: 0 };
}
