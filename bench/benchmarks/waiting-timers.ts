import { environment, run } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample } from "../benchmark";
import { programResult } from "../programs";

/** Seconds of each of the program's phases, for each of its two databases. */
const phaseSeconds = 2;
const many = 1_000_000;

const columns: Benchmark["columns"] = [
  { key: "insertMicros", label: "CPU µs/insert", digits: 1, aim: { atMost: 1.1 } },
  { key: "insertPerSecond", label: "inserts/s", digits: 0 },
  { key: "updateMicros", label: "CPU µs/update", digits: 1, aim: { atMost: 1.1 } },
  { key: "updatePerSecond", label: "updates/s", digits: 0 },
  { key: "setPerSecond", label: "that set one", digits: 0 },
  { key: "cancelPerSecond", label: "that cancel one", digits: 0 },
  { key: "openMs", label: "opening, ms", digits: 0 },
  { key: "pageMs", label: "page, ms", digits: 2 },
  { key: "keyMs", label: "by key, ms", digits: 2 },
  { key: "scrapeMs", label: "for metrics, ms", digits: 2 },
];

/** Two contenders that one program measures by turns, since the difference is less than that of two runs on a busy machine. */
function contenders(measure: (context: Context) => Promise<readonly Sample[]>): Pick<Benchmark, "warren" | "baseline"> {
  let running: Promise<readonly Sample[]> | undefined;
  const contender = (name: string, index: number) => ({
    name,
    async run(context: Context) {
      const samples = running ?? measure(context);
      running = running ? undefined : samples;
      return (await samples)[index] ?? {};
    },
  });
  return { warren: contender("1,000,000 wait", 0), baseline: contender("none waits", 1) };
}

async function measured(waiting: number, env: Record<string, string>): Promise<readonly Sample[]> {
  const program = run(["bench/programs/waiting-timers.ts"], { env: { ...env, WAITING: String(waiting), SECONDS: String(phaseSeconds) } });
  const { count, samples } = await programResult<{ count: number; samples: Sample[] }>(program);
  mustEqual({ waiting: count, expected: waiting });
  await program.exited;
  return samples;
}

export const waitingTimers: Benchmark = {
  name: "waiting-timers",
  title: "Changes while 1,000,000 events wait to be published later vs. while none does",
  needs: [],
  rounds: 2,
  columns,
  ...contenders(({ folder, size = many }) => measured(size, { ...environment(folder), OTHER_URL: `sqlite:${folder}/other.db` })),
};

export const waitingTimersPostgres: Benchmark = {
  name: "waiting-timers-postgres",
  title: "The same on PostgreSQL",
  needs: ["postgres"],
  rounds: 2,
  columns,
  ...contenders(async ({ folder, postgres, size = many }) => {
    const server = await postgres();
    const [schema, other] = [server.schema(), server.schema()];
    const samples = await measured(size, { ...environment(folder), DATABASE_URL: schema.url, OTHER_URL: other.url });
    await schema.drop();
    await other.drop();
    return samples;
  }),
};
