import { environment, run } from "../../tests/support/processes";
import { type Benchmark, type Contender, type Context, mustEqual } from "../benchmark";
import type { Timing } from "../clock";
import { programResult } from "../programs";
import { fillPostgres } from "../seeded";

/** The greatest number of events that a consumer handles in one transaction. */
const grouped = 128;
/** Maximum number of events: those that are handled one at a time take long. */
const most = 20_000;

async function measured(events: number, size: number, env: Record<string, string>) {
  const count = Math.min(events, most);
  const {
    count: handled,
    seconds,
    cpuMicros,
  } = await programResult<Timing>(run(["bench/programs/groups.ts"], { env: { ...env, COUNT: String(count), SIZE: String(size) } }));
  mustEqual({ handled, expected: count });
  return { perSecond: handled / seconds, cpuMicros };
}

/** Without a broker, events are read again after a power cut, so that a commit need not wait for the disk. */
const inFile = (name: string, size: number, durable: "0" | "1"): Contender => ({
  name,
  run: ({ folder, events }: Context) => measured(events, size, { ...environment(folder), DURABLE: durable }),
});

const inPostgres = (name: string, size: number): Contender => ({
  name,
  async run({ folder, events, postgres }: Context) {
    const schema = await fillPostgres((await postgres()).schema(), { items: 0, updates: 0 });
    const sample = await measured(events, size, { ...environment(folder), DATABASE_URL: schema.url });
    await schema.evaluate(`DROP SCHEMA "${schema.name}.groups" CASCADE`);
    await schema.drop();
    return sample;
  },
});

const columns: Benchmark["columns"] = [
  { key: "perSecond", label: "events/s", digits: 0, aim: { atLeast: 1 } },
  { key: "cpuMicros", label: "CPU µs/event", digits: 1 },
];
const names = [`${grouped} in a transaction`, "one"] as const;

export const groups: Benchmark = {
  name: "groups",
  title: "exactlyOnce events that share a transaction, each in a savepoint, vs. a transaction each, in a file",
  needs: [],
  columns,
  warren: inFile(names[0], grouped, "0"),
  baseline: inFile(names[1], 1, "0"),
};

export const groupsDurable: Benchmark = {
  name: "groups-durable",
  title: "The same, with commits that survive a power cut, as with RabbitMQ",
  needs: [],
  columns,
  warren: inFile(names[0], grouped, "1"),
  baseline: inFile(names[1], 1, "1"),
};

export const groupsPostgres: Benchmark = {
  name: "groups-postgres",
  title: "The same in PostgreSQL",
  needs: ["postgres"],
  columns,
  warren: inPostgres(names[0], grouped),
  baseline: inPostgres(names[1], 1),
};
