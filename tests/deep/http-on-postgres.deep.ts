// The tests of the HTTP API, with the store in PostgreSQL.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { failuresIn } from "../support/failed-tests";
import { describeWithPostgres } from "../support/postgres";
import { run } from "../support/processes";

const folder = join(import.meta.dir, "..");
const files = readdirSync(folder).filter(
  (name) => name.endsWith(".test.ts") && /\bopenApi\(/.test(readFileSync(join(folder, name), "utf8")),
);

describeWithPostgres("on PostgreSQL", () => {
  test("the API does what it does on SQLite", async () => {
    const tests = run(["test", "--timeout", "60000", ...files.map((name) => `./tests/${name}`)], {
      env: { TEST_DATABASE: "postgres" },
    });
    const code = await tests.exited;
    expect([code, code === 0 ? "" : failuresIn(tests.stderr.join("\n"))]).toEqual([0, ""]);
    expect(files.length).toBeGreaterThan(30);
  }, 900_000);
});
