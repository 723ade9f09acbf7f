// Every fault of `bun run chaos`, in its short version: no guarantee is broken.
import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Fault, TransportName } from "../chaos/fault";
import { faults } from "../chaos/faults";
import { needs } from "../chaos/needs";
import { run } from "../chaos/run";
import { resultLines } from "../chaos/table";
import { endAll, run as runProgram } from "../support/processes";
import { describeWithRabbit, emptyBroker, type OwnRabbit, startRabbit } from "../support/rabbit";

setDefaultTimeout(180_000);

let rabbit: OwnRabbit | undefined;
afterEach(endAll);
afterAll(() => rabbit?.dispose());

function testFault(fault: Fault, transport: TransportName): void {
  const missing = (fault.needs ?? []).map((need) => needs[need]).find(({ met }) => !met());
  const title = `${fault.name}: ${fault.title}`;
  // Where nothing may be skipped it fails, and says why.
  if (missing && !process.env["NO_SKIP"]) return void test.skip(`${title} (skipped: ${missing.missing})`, () => {});
  test(title, async () => {
    if (transport === "rabbitmq") {
      rabbit ??= await startRabbit();
      await emptyBroker(rabbit);
    }
    const seed = Number(process.env["CHAOS_SEED"] ?? "20261125");
    const result = await run({ fault, transport, seed, isShort: true, rabbit });
    console.log(`${resultLines(result).join("\n")}   --seed ${seed}`);
    expect(result.violations).toEqual([]);
    expect(result.figures.acknowledged).toBeGreaterThan(200);
    expect(result.figures.handled).toBeGreaterThanOrEqual(result.figures.events * 2);
  });
}

describe("without a broker", () => {
  for (const fault of faults) if (fault.transports.includes("embedded")) testFault(fault, "embedded");
});

describeWithRabbit("with RabbitMQ", () => {
  for (const fault of faults) if (fault.transports.includes("rabbitmq")) testFault(fault, "rabbitmq");
});

test("the command prints a line of JSON for each run, the seed and a summary", async () => {
  const chaos = runProgram(["tests/chaos/main.ts", "second-api", "--transport", "embedded", "--short", "--seed", "7"]);
  expect([await chaos.exited, chaos.stderr]).toEqual([
    0,
    [expect.stringMatching(/^1 runs, 3 strikes in \d+ s: \d+ changes attempted,.*, 0 lost\.$/), "No guarantee was broken.", "--seed 7"],
  ]);
  expect(chaos.stdout.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ fault: "second-api", transport: "embedded", strikes: 3, violations: [] }),
  ]);
});
