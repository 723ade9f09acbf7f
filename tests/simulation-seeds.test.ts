// The same promises in simulated time, for some seeds: deaths, lost connections, alarms and whatever else a seed decides.
// Many seeds, and planted bugs that have to be found, are in the deep suite.
import { expect, setDefaultTimeout, test } from "bun:test";
import { run } from "./support/processes";

setDefaultTimeout(120_000);

test("nothing goes wrong that must never, whatever happens in whatever order", async () => {
  const simulation = run(["tests/simulation/main.ts", "--seeds", "10"]);
  expect([await simulation.exited, simulation.stdout]).toEqual([0, [expect.stringMatching(/^10 seeds .*; 0 seeds failed\.$/)]]);
});
