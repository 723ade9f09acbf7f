// The tests of the HTTP API, with the store in PostgreSQL.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
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
    const failed = tests.stderr.filter((line) => line.startsWith("(fail)"));
    expect(failed).toEqual([]);
    expect([files.length > 30, code]).toEqual([true, 0]);
  }, 900_000);
});
