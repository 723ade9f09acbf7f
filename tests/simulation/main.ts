import { parseOptions, readCommandLine, wholeNumber } from "../../src/observe/command-line";
import { temporaryFolder } from "../support/folder";
import { faults } from "./plan";
import { simulate } from "./simulate";

const help = `Runs relay, consumers and broker in simulated time. A seed determines the order of events and the faults.

  bun run simulate                    10,000 seeds
  bun run simulate --seed 7           only seed 7, with a line for each step

Options:
  --seeds N     number of seeds; default 10000
  --from N      first seed; default 1
  --seed N      run only this seed, and print each step
  --deeds N     number of client actions and faults; default: 20 to 80, depending on the seed
  --help        print this help

The exit code is 1 if a guarantee was broken.`;

const text = { type: "string" } as const;
const { deeds, one, seeds, first } = readCommandLine(help, (words) => {
  const values = parseOptions(words, { seeds: text, from: text, seed: text, deeds: text });
  const count = (name: "seeds" | "from" | "seed" | "deeds") => {
    const value = values[name];
    return value === undefined ? undefined : wholeNumber(`--${name}`, value, 0);
  };
  return { deeds: count("deeds"), one: count("seed"), seeds: count("seeds") ?? 10_000, first: count("from") ?? 1 };
});
const from = one ?? first;
const last = one ?? from + seeds - 1;
const folder = temporaryFolder();
const wrong = new Map<number, readonly string[]>();
const total = { steps: 0, events: 0, effects: 0 };
const withFault = new Map<string, number>(faults.map((fault) => [fault, 0]));
const begun = performance.now();
const seconds = () => ((performance.now() - begun) / 1000).toFixed(1);

function progress(seed: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(
    `\r${(seed - from + 1).toLocaleString("en-US")} of ${(last - from + 1).toLocaleString("en-US")} seeds, ${wrong.size} failed`,
  );
}

for (let seed = from; seed <= last; seed += 1) {
  const result = await simulate({ seed, deeds }, folder.path);
  for (const key of ["steps", "events", "effects"] as const) total[key] += result[key];
  for (const fault of result.plan.faults) withFault.set(fault, (withFault.get(fault) ?? 0) + 1);
  if (one !== undefined) console.log(result.trace.join("\n"));
  if (result.wrong.length > 0) {
    wrong.set(seed, result.wrong);
    if (one === undefined) console.log(`seed ${seed}: ${result.wrong[0]}\n  bun run simulate --seed ${seed}`);
  }
  if (seed % 20 === 0) progress(seed);
}
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
folder.remove();
const n = (value: number) => value.toLocaleString("en-US");
console.log(
  `${n(last - from + 1)} seeds in ${seconds()} s: ${n(total.steps)} steps, ${n(total.events)} events, ${n(total.effects)} effects; ${n(wrong.size)} seeds failed.`,
);
process.exit(wrong.size > 0 ? 1 : 0);
