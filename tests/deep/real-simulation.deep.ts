// The simulation of relay, consumers and broker: some of its seeds, and planted bugs that it must find. `bun run simulate` runs
// more seeds.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { endAll, run } from "../support/processes";

setDefaultTimeout(120_000);
afterEach(endAll);

async function simulate(args: readonly string[], preload: readonly string[] = []) {
  const simulation = run([
    ...preload.flatMap((file) => ["--preload", `./tests/support/planted/${file}.ts`]),
    "tests/simulation/main.ts",
    ...args,
  ]);
  const code = await simulation.exited;
  return { code, lines: simulation.stdout };
}

test("200 seeds break no guarantee", async () => {
  const { code, lines } = await simulate(["--seeds", "200"]);
  expect([code, lines]).toEqual([
    0,
    [expect.stringMatching(/^200 seeds in [\d.]+ s: [\d,]+ steps, [\d,]+ events, [\d,]+ effects; 0 seeds failed\.$/)],
  ]);
});

test.each([
  ["ack-before-effect", 10, /was acknowledged on \w+ with neither an effect nor a copy that is safe$/],
  ["position-before-confirm", 10, /the relay's position \d+ is ahead of .*, which is in no queue$/],
  ["no-inbox", 40, /has \d+ effects of /],
  ["change-without-note", 40, /has made \d+ changes because of /],
  ["timer-removed-later", 50, /timer-twice: /],
  ["tick-without-key", 40, /tick-twice: /],
  ["event-outside-transaction", 40, /was acknowledged, and is not in the log$/],
])("a planted bug is found: %s", async (bug, seeds, name) => {
  const { code, lines } = await simulate(["--seeds", String(seeds)], [bug]);
  expect(code).toBe(1);
  const at = lines.findIndex((line) => name.test(line));
  expect(lines[at]).toMatch(/^seed \d+: /);
  // The command that plays it again, which finds the same.
  const again = await simulate((lines[at + 1] ?? "").trim().split(" ").slice(3), [bug]);
  expect([again.code, again.lines.some((line) => name.test(line))]).toEqual([1, true]);
});
