// The store against its models, on both engines: the properties of the fast tests with more random cases, and on PostgreSQL with more
// records.
import { expect, setDefaultTimeout, test } from "bun:test";
import { run } from "../support/processes";

setDefaultTimeout(900_000);

/** Files whose properties compare the store with a model, or its tables with each other. */
const files = [
  "list-pages",
  "postgres-entries",
  "postgres-list-plans",
  "postgres-log",
  "postgres-search",
  "real-contract-postgres",
  "real-export",
  "sqlite-side-tables",
  "store-history",
  "store-lists",
  "store-references",
  "store-unique",
  "transactions",
];

test.each(files)("%s", async (name) => {
  const program = run(["test", "--timeout=300000", `./tests/${name}.test.ts`], { env: { PROPERTY_FACTOR: "10", NO_COLOR: "1" } });
  const code = await program.exited;
  expect([code, code === 0 ? "" : [...program.stdout, ...program.stderr].slice(-80).join("\n")]).toEqual([0, ""]);
});
