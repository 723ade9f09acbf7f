// `bun run chaos --acting` in short, with a fixed seed: consumers that change records and set timers, killed at every step, and the clock
// jumps. Then bugs that it must find.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { type ActingRunOptions, runActing } from "../chaos/acting/run";
import { strikes } from "../chaos/acting/strikes";
import { describeWithPostgres, useOwnPostgres } from "../support/postgres";
import { endAll } from "../support/processes";
import { describeWithRabbit, emptyBroker, useOwnRabbit } from "../support/rabbit";

setDefaultTimeout(180_000);
afterEach(endAll);

const seed = Number(process.env["CHAOS_SEED"] ?? "20261130");
const named = (...names: readonly string[]) => strikes.filter(({ name }) => names.includes(name));

async function expectNoViolation(options: Omit<ActingRunOptions, "seed">): Promise<void> {
  const result = await runActing({ seed, ...options });
  console.log(JSON.stringify(result));
  expect(result.violations).toEqual([]);
  expect(result.figures.unknown).toBe(0);
  expect(result.figures.made).toBeGreaterThan(100);
  expect(result.figures.timers).toBeGreaterThan(20);
}

test("with SQLite, each event has its changes once, and each timer becomes one event in time", () =>
  expectNoViolation({ arrangement: "sqlite" }));

describeWithRabbit("with RabbitMQ", () => {
  const rabbit = useOwnRabbit();
  test("so it is, also when RabbitMQ is killed", async () => {
    await emptyBroker(rabbit());
    const names = ["consumer-during-commit", "consumer-after-commit", "consumer-before-ack", "api-after-change", "broker-kill"];
    await expectNoViolation({ arrangement: "rabbitmq", rabbit: rabbit(), chosen: named(...names) });
  });
});

describeWithPostgres("with PostgreSQL and two processes of the API", () => {
  const postgres = useOwnPostgres();
  test("so it is, also when another process leads", async () => {
    const names = ["api-after-timer", "api-freeze", "clock-jump", "consumer-after-commit"];
    await expectNoViolation({ arrangement: "postgres", postgres: postgres(), chosen: named(...names) });
  });
});

// `must`: a violation that has to be found. `may`: violations that some runs find as well.
test.each<[planted: string, strike: string, must: string, may: string[]]>([
  ["change-without-note", "consumer-after-commit", "doubled-change", ["torn-change", "wrong-sum", "other-effect", "timer-unexpected"]],
  ["timer-removed-later", "api-after-timer", "timer-twice", []],
  ["tick-without-key", "api-after-tick", "tick-twice", ["tick-overlap"]],
])("a planted bug is found: %s", async (planted, strike, must, may) => {
  const result = await runActing({ seed, arrangement: "sqlite", planted, chosen: named(strike), patienceMs: 5000 });
  const found = result.violations.map(({ name }) => name);
  expect(found).toContain(must);
  expect(found.filter((name) => ![must, ...may].includes(name))).toEqual([]);
});
