import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseWords, readCommandLine, wholeNumber } from "../src/observe/command-line";
import { lockKey } from "../src/store/postgres/schema/migrations";
import { isPostgresInstalled } from "../tests/support/postgres-cluster";
import { endAll, environment } from "../tests/support/processes";
import { cpuCounter } from "./cpu";
import { startBenchPostgres } from "./postgres";
import { format } from "./rounds";
import { type Server, startServer } from "./servers";
import { median } from "./statistics";
import { textTable } from "./table";
import { load } from "./wrk";

const help = `Measures how POST /items scales with the number of API processes on one PostgreSQL, and computes the limit of larger machines.

  bun bench/ceiling.ts

Options:
  --rounds N    rounds of each number of processes; default 3
  --seconds N   seconds under load in each round; default 5
  --help        print this help

Commits follow each other under a lock. The time under it is sampled every 2 ms. A machine is limited by its CPU time or by that lock.`;

/** Measurements of one round. Times are in microseconds per change. */
interface Sample {
  readonly perSecond: number;
  readonly apiMicros: number;
  readonly databaseMicros: number;
  /** The part of the connections that commit. */
  readonly commitMicros: number;
  readonly lockMicros: number;
  /** Share of the time in which the lock was held. */
  readonly lockShare: number;
}

const counts = [1, 2, 3] as const;
const machines = [2, 4, 16] as const;

const { rounds, seconds } = readCommandLine(help, (words) => {
  const { values } = parseWords(words, {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "5" },
  });
  return { rounds: wholeNumber("--rounds", values.rounds, 1, 1000), seconds: wholeNumber("--seconds", values.seconds, 2, 3600) };
});

if (!isPostgresInstalled || !Bun.which("wrk")) {
  console.error("This needs PostgreSQL and wrk; on Debian: apt-get install postgresql wrk");
  process.exit(1);
}

const folder = mkdtempSync("/var/tmp/warren-bench-");
const postgres = await startBenchPostgres();
try {
  const schema = postgres.schema();
  const start = (name: string) => startServer("src/main.ts", { ...environment(join(folder, name)), DATABASE_URL: schema.url });
  // The first one creates the schema.
  const servers = [await start("1"), ...(await Promise.all(["2", "3"].map(start)))];
  /** Returns the share of the time in which the commit lock is held. It is sampled for most of the time under load. */
  const heldShare = async () => {
    const [row] = await schema.evaluate<{ share: number }>(
      `CREATE FUNCTION pg_temp.held(lock int8, until timestamptz) RETURNS float8 LANGUAGE plpgsql AS $$
       DECLARE held int := 0; samples int := 0;
       BEGIN
         WHILE clock_timestamp() < until LOOP
           samples := samples + 1;
           held := held + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
             AND (classid::int8 << 32) | objid::int8 = lock);
           PERFORM pg_sleep(0.002);
         END LOOP;
         RETURN held::float8 / samples;
       END $$;
       SELECT pg_temp.held(${lockKey(schema.address.schema, "commit")}, clock_timestamp() + interval '${seconds - 1} s') AS share`,
    );
    return row?.share ?? Number.NaN;
  };
  const measure = async (used: readonly Server[]): Promise<Sample> => {
    const [database, commits] = [await postgres.cpuCounter(), await postgres.cpuCounter("warren write")];
    const cpu = used.map(({ pid }) => cpuCounter(pid));
    const [lockShare, ...loads] = await Promise.all([heldShare(), ...used.map(({ url }) => load(url, seconds, ["post"]))]);
    const answers = loads.reduce((sum, each) => sum + each.answers, 0);
    const perSecond = loads.reduce((sum, each) => sum + each.perSecond, 0);
    const apiMicros = cpu.reduce((sum, micros) => sum + micros(answers), 0);
    const [databaseMicros, commitMicros] = [await database(answers), await commits(answers)];
    return { perSecond, apiMicros, databaseMicros, commitMicros, lockMicros: (lockShare * 1e6) / perSecond, lockShare };
  };
  for (const { url } of servers) await load(url, 2, ["post"]);
  const samples = new Map<number, Sample[]>(counts.map((count) => [count, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const count of round % 2 === 0 ? counts : counts.toReversed()) {
      const sample = await measure(servers.slice(0, count));
      samples.get(count)?.push(sample);
      console.error(`round ${round + 1} of ${rounds}, ${count} processes: ${format(sample.perSecond, 0)} changes/s`);
    }
  const rows = counts.map((count) => ({ count, ...medians(samples.get(count) ?? []) }));
  console.log(
    `\nPOST /items with API processes on one PostgreSQL\n${measured(rows)}\n\nLimit of a machine that runs all of it\n${limits(rows)}`,
  );
} finally {
  await endAll();
  await postgres.dispose();
  rmSync(folder, { recursive: true, force: true });
}

function medians(all: readonly Sample[]): Sample {
  const of = (key: keyof Sample) => median(all.map((sample) => sample[key]));
  return {
    ...{ perSecond: of("perSecond"), apiMicros: of("apiMicros"), databaseMicros: of("databaseMicros") },
    ...{ commitMicros: of("commitMicros"), lockMicros: of("lockMicros"), lockShare: of("lockShare") },
  };
}

function measured(rows: readonly (Sample & { readonly count: number })[]): string {
  return textTable([
    ["processes", "changes/s", "API CPU µs", "database CPU µs", "of it commits", "under the lock µs", "lock held"],
    ...rows.map(({ count, perSecond, apiMicros, databaseMicros, commitMicros, lockMicros, lockShare }) => [
      String(count),
      format(perSecond, 0),
      ...[apiMicros, databaseMicros, commitMicros, lockMicros].map((micros) => format(micros, 1)),
      `${format(lockShare * 100, 0)} %`,
    ]),
  ]);
}

/** Other programs on the machine lengthen the time under the lock, so the shortest one counts. */
function limits(rows: readonly Sample[]): string {
  const least = (key: keyof Sample) => Math.min(...rows.map((row) => row[key]));
  const [apiMicros, changeMicros] = [least("apiMicros"), least("apiMicros") + least("databaseMicros")];
  const byLock = 1e6 / least("lockMicros");
  return textTable([
    ["cores", "CPU allows", "lock allows", "limit", "API processes"],
    ...machines.map((cores) => {
      const byCpu = (cores * 1e6) / changeMicros;
      const limit = Math.min(byCpu, byLock);
      const resource = byCpu < byLock ? "CPU" : "lock";
      return [String(cores), `${format(byCpu, 0)}/s`, `${format(byLock, 0)}/s`, resource, String(Math.ceil((limit * apiMicros) / 1e6))];
    }),
  ]);
}
