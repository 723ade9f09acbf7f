// A short run of the headline benchmark, and the pictures of its results.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { endAll, run } from "../support/processes";
import { describeWithRabbit } from "../support/rabbit";

setDefaultTimeout(180_000);

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await endAll();
  folder.remove();
});

describeWithRabbit("bench", () => {
  test.skipIf(!Bun.which("wrk") && !process.env["NO_SKIP"])(
    "measures what is confirmed of Warren and of its peer, and prints JSON lines in a pipe",
    async () => {
      const bench = run(["bench/main.ts", "confirmed", "--rounds", "1", "--seconds", "2"]);
      expect(await bench.exited, bench.stderr.join("\n")).toBe(0);
      const lines = bench.stdout.map((line) => JSON.parse(line) as { kind: string; contender?: string; sample?: Record<string, number> });
      expect(lines.map(({ kind }) => kind)).toEqual(["machine", "round", "round", "result", "target", "target", "target"]);
      expect(lines.flatMap(({ contender = [] }) => contender)).toEqual(["warren", "peer"]);
      for (const { sample } of lines.filter(({ kind }) => kind === "round"))
        for (const key of ["perSecond", "cpuMicros", "brokerMicros", "p99Ms"]) expect(sample?.[key]).toBeGreaterThan(0);

      const results = join(folder.path, "results.jsonl");
      writeFileSync(results, bench.stdout.join("\n"));
      const report = run(["bench/report.ts", folder.path, results]);
      expect(await report.exited, report.stderr.join("\n")).toBe(0);
      expect(report.stdout).toContainEqual(expect.stringMatching(/^\| peer, lazy queue \| \d/));
      for (const name of ["confirmed", "cpu", "delivery"]) {
        const svg = readFileSync(join(folder.path, `${name}.svg`), "utf8");
        for (const label of ["Warren, lazy queue", "peer, lazy queue"]) expect(svg).toContain(label);
        expect(svg).not.toContain("NaN");
      }
    },
  );
});
