// bun run doctor on PostgreSQL: what it says about a server, good and bad.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Finding } from "../src/commands/doctor/finding";
import { serverFindings } from "../src/commands/doctor/server";
import { storeFindings } from "../src/commands/doctor/store";
import type { PostgresAddress } from "../src/config/postgres-url";
import type { ServerInspection } from "../src/store/inspection";
import { exposedFiles, inspectStore, isLockedByApi, isServed, scrubDatabase } from "../src/store/open";
import { openDatabase } from "../src/store/postgres/connection/connection";
import { consumerMigrations } from "../src/store/postgres/consumer/schema";
import { PostgresConsumerStores } from "../src/store/postgres/consumer/stores";
import { migrate, storeMigrations } from "../src/store/postgres/schema/migrations";
import { command } from "./support/command";
import { testInFull } from "./support/in-full";
import { describeWithPostgres, useOwnPostgres, usePostgres } from "./support/postgres";

// A server takes its time to start on a busy machine.
setDefaultTimeout(60_000);

const placesOf = (database: PostgresAddress) => ({ database, dataDir: "/nowhere" });
const problemsIn = (findings: readonly Finding[]) => findings.filter(({ state }) => state !== "ok");

async function findings(address: PostgresAddress): Promise<Finding[]> {
  return storeFindings(await inspectStore(placesOf(address)), address.shown);
}

async function makeSchema(address: PostgresAddress): Promise<void> {
  const database = openDatabase(address);
  await migrate(database, address, storeMigrations);
  await database.close();
}

describeWithPostgres("a schema", () => {
  const postgres = usePostgres();

  test("that is not there yet, is there, is older and newer", async () => {
    const { address } = postgres();
    const stateOf = async (check: string) => {
      const found = (await findings(address)).find((finding) => finding.check === check);
      return [found?.state, found?.message];
    };
    expect(await stateOf("store")).toEqual(["ok", `there is no database in ${address.shown} yet; the API creates it`]);
    expect(await stateOf("migrations")).toEqual([undefined, undefined]);
    await makeSchema(address);
    expect(await stateOf("store")).toEqual([
      "ok",
      expect.stringMatching(/^postgres:\/\/127\.0\.0\.1:\d+\/postgres\?schema=test_\d+, [\d.]+ [KM]iB$/),
    ]);
    const newest = storeMigrations.length;
    expect(await stateOf("migrations")).toEqual(["ok", `schema version ${newest}, the newest`]);
    await postgres().evaluate("UPDATE warren_schema_version SET version = 999");
    expect(await stateOf("migrations")).toEqual(["error", `the database has schema version 999, and this program version ${newest}`]);
    await postgres().drop();
  });

  test("of a queue that is missing, newer or not granted", async () => {
    const { address, evaluate, name } = postgres();
    const stores = new PostgresConsumerStores(address);
    for (const queue of ["gone", "fine", "newer"]) await (await stores.open(queue, { durable: true })).close();
    await stores.close();
    const role = `reader_${name}`;
    await evaluate(`DROP SCHEMA "${name}.gone" CASCADE; UPDATE "${name}.newer".warren_schema_version SET version = 999;
      CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA "${name}" TO ${role};
      GRANT ALL ON ALL TABLES IN SCHEMA "${name}" TO ${role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA "${name}" TO ${role}`);
    const problems = async (user: string) =>
      problemsIn(await findings({ ...address, user })).flatMap(({ check, message }) => (check === "server" ? message : []));
    expect(await problems(address.user)).toEqual([
      `What the consumer of "gone" keeps is missing: there is no schema "${name}.gone" in ${address.shown}`,
      `the schema "${name}.newer" in ${address.shown} has version 999, and this program knows versions up to ${consumerMigrations.length}`,
    ]);
    expect(await problems(role)).toEqual(
      ["fine", "gone", "newer"].map((queue) =>
        queue === "gone"
          ? expect.stringContaining("missing")
          : `The role "${role}" may not use the schema "${name}.${queue}" in ${address.shown}`,
      ),
    );
    expect((await findings(address)).find(({ check }) => check === "queue schemas")?.message).toMatch(/^2 schemas, \d+ KiB$/);
    await evaluate(`DROP SCHEMA "${name}.fine" CASCADE; DROP SCHEMA "${name}.newer" CASCADE; DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await postgres().drop();
  });

  test("is served while a process renews its lease, and blocks no other writer", async () => {
    const places = placesOf(postgres().address);
    expect([await isServed(places), await isLockedByApi(places)]).toEqual([false, false]);
    await makeSchema(places.database);
    expect(await isServed(places)).toBe(false);
    await postgres().evaluate(
      "INSERT INTO warren_leases VALUES ('process a 1 x', 'a 1 x', 1, now() + interval '3 s'), ('process b 2 x', 'b 2 x', 1, now() - interval '1 s')",
    );
    expect([await isServed(places), await isLockedByApi(places)]).toEqual([true, false]);
    await postgres().evaluate("DELETE FROM warren_leases WHERE holder = 'a 1 x'");
    expect(await isServed(places)).toBe(false);
    expect(exposedFiles(places)).toEqual([]);
    await postgres().drop();
  });

  test("is cleared of what was deleted", async () => {
    const { address, evaluate } = postgres();
    await makeSchema(address);
    await evaluate(
      "INSERT INTO warren_record_checks SELECT i::text, repeat('x', 1000) FROM generate_series(1, 1000) i; DELETE FROM warren_record_checks",
    );
    const size = "SELECT pg_relation_size('warren_record_checks')::int AS bytes";
    expect(await evaluate(size)).not.toEqual([{ bytes: 0 }]);
    await scrubDatabase(placesOf(address));
    expect(await evaluate(size)).toEqual([{ bytes: 0 }]);
    await postgres().drop();
  });
});

describeWithPostgres("a server", () => {
  const postgres = useOwnPostgres();

  test("that is unsafe, read-only or not reachable", async () => {
    const { address } = postgres().schema();
    expect(problemsIn(await findings(address)).map(({ check }) => check)).toEqual(["role"]);
    await postgres().configure({
      fsync: "off",
      full_page_writes: "off",
      synchronous_commit: "off",
      autovacuum: "off",
      default_transaction_read_only: "on",
    });
    const problems = async () => problemsIn(await findings(address)).map(({ check, state, message }) => `${check} ${state}: ${message}`);
    // The server reads its settings a moment later.
    let found = await problems();
    while (found.length < 6) found = await problems();
    expect(found).toEqual([
      `server error: The database ${address.shown} is read-only`,
      "durability error: fsync is off: a crash of the machine damages the database",
      "durability error: full_page_writes is off: a crash of the machine can damage the database",
      "durability error: synchronous_commit is off: a crash of the server loses the last commits, whose events were perhaps sent",
      "durability error: autovacuum is off: tables grow without bound",
      'role warning: "warren" is a superuser, who may do anything on the server',
    ]);
    await postgres().stop();
    const { code, stdout, stderr } = await command("doctor", ["--json"], { DATABASE_URL: postgres().url, RABBITMQ_URL: "none" });
    const { findings: all } = JSON.parse(stdout) as { findings: Finding[] };
    expect([code, stderr]).toEqual([1, ""]);
    expect(all.find(({ check }) => check === "store")?.message).toContain("cannot be reached");
    await postgres().start();
  });

  testInFull("says it to the command, without the password", async () => {
    const url = postgres().url.replace("warren@", "warren:s3cret@");
    const { stdout, stderr } = await command("doctor", [], { DATABASE_URL: url, RABBITMQ_URL: "none" });
    expect(stdout).toMatch(/ok +store +there is no database in postgres:\/\/127\.0\.0\.1:\d+\/postgres yet/);
    expect(stdout + stderr).not.toContain("s3cret");
  });
});

test("connections, encryption, long transactions and clocks", () => {
  const good: ServerInspection = {
    product: "PostgreSQL 15.4",
    obstacles: [],
    dangers: [],
    connections: { used: 5, most: 100, perProcess: 9 },
    isEncrypted: true,
    isRemote: true,
    user: "shop",
    isSuperuser: false,
    oldestTransactionSeconds: 2,
    clockAheadMs: -400,
  };
  const problems = (changed: Partial<ServerInspection>) =>
    problemsIn(serverFindings({ ...good, ...changed })).map(({ message }) => message);
  expect(serverFindings(good).map(({ check, message }) => `${check}: ${message}`)).toEqual([
    "server: PostgreSQL 15.4",
    "durability: a commit that was answered survives a crash",
    "connections: 5 of 100 in use; each process of the service uses up to 9",
    "encryption: TLS",
    'role: "shop" is not a superuser',
  ]);
  expect(problems({ connections: { used: 92, most: 100, perProcess: 9 } })).toEqual([
    "92 of 100 in use; each process of the service uses up to 9",
  ]);
  expect(problems({ isEncrypted: false })).toEqual(["others on the network can read all data"]);
  expect(problems({ isEncrypted: false, isRemote: false })).toEqual([]);
  expect(problems({ oldestTransactionSeconds: 7200 })).toEqual([
    "a transaction has been open for 2 h, and nothing deleted since can be cleared away",
  ]);
  expect(problems({ clockAheadMs: 65_000 })).toEqual([expect.stringMatching(/^The clock of the database server is .* ahead\.$/)]);
});
