// The fast tests that leave something out, in full: properties with more random cases, blocks that take long, and what runs on SQLite only
// on PostgreSQL, too.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../support/processes";

setDefaultTimeout(900_000);

const folder = join(import.meta.dir, "..");
const files = readdirSync(folder)
  .filter(
    (name) =>
      name.endsWith(".test.ts") && /support\/in-full"|InFull\b|forEachEngine\(\(placesIn, /.test(readFileSync(join(folder, name), "utf8")),
  )
  .sort();

test("there are some", () => {
  expect(files).toEqual(expect.arrayContaining(["list-pages.test.ts", "real-contract-postgres.test.ts", "store-history.test.ts"]));
});

test.each(files)("%s", async (name) => {
  const program = run(["test", "--timeout=300000", `./tests/${name}`], { env: { PROPERTY_FACTOR: "10", NO_COLOR: "1" } });
  const code = await program.exited;
  expect([code, code === 0 ? "" : [...program.stdout, ...program.stderr].slice(-80).join("\n")]).toEqual([0, ""]);
});
