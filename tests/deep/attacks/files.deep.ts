// Another user of the machine tries to read the service's data, to lock it, and to have it written elsewhere.
import { beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, chownSync, existsSync, lchownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { acquireLock } from "../../../src/store/sqlite/connection/lock";
import { openSqliteStore } from "../../../src/store/sqlite/store";
import { environment, run, send, startApi, startLogger } from "../../support/processes";
import { order } from "../../support/resources";
import { useFolder } from "../../support/use-folder";

setDefaultTimeout(60_000);

/** The attacker: a user without rights. Becoming that user takes root, which CI is. */
const nobody = 65_534;
const asRoot = process.getuid?.() === 0 || process.env["NO_SKIP"] ? test : test.skip;

const folder = useFolder();
beforeEach(() => {
  // As a folder in /srv or /var/lib: everybody can look into it.
  chmodSync(folder.path, 0o755);
});

/** Runs a program as the attacker; returns its exit code. */
function asNobody(...command: string[]): Promise<number> {
  const words = [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", ...command];
  return run(words, { program: "setpriv", cwd: "/" }).exited;
}

asRoot.each([
  ["made by the service", undefined],
  ["that exists, open to everybody", 0o755],
])("nobody else reads or locks the files of a data folder %s", async (_, mode) => {
  const data = join(folder.path, "data");
  if (mode !== undefined) {
    mkdirSync(data);
    chmodSync(data, mode);
  }
  const env = { ...environment(folder.path), DATABASE_URL: `sqlite:${join(data, "warren.db")}`, DATA_DIR: data };
  const api = await startApi({ env });
  await startLogger(["--queue", "item_events"], { env });
  expect((await send("POST", `${api.url}/items`, { name: "Sample Item" })).status).toBe(201);
  // The attacker can read at all.
  expect(await asNobody("cat", "/etc/passwd")).toBe(0);
  const files = ["warren.db", "warren.db-wal", "warren.db-shm", "warren.db.lock", "warren.key", "consumers/item_events.db"].map((name) =>
    join(data, name),
  );
  for (const file of files.filter(existsSync)) {
    expect([file, await asNobody("cat", file)]).toEqual([file, 1]);
    // A shared lock, which needs no more than to open the file for reading.
    expect([file, await asNobody("flock", "--shared", "--nonblock", file, "true")]).not.toEqual([file, 0]);
  }
  expect(existsSync(files[0] as string)).toBe(true);
  expect((await send("POST", `${api.url}/items`, { name: "Another" })).status).toBe(201);
});

asRoot.each([
  ["a link to a file of ours, in the place of the database", "warren.db"],
  ["a link in the place of its log", "warren.db-wal"],
  ["a link in the place of its lock", "warren.db.lock"],
])("%s, in a folder that everybody writes to: nothing is written through it", async (_, name) => {
  const shared = join(folder.path, "shared");
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  const victim = join(folder.path, "victim");
  writeFileSync(victim, "");
  symlinkSync(victim, join(shared, name));
  lchownSync(join(shared, name), nobody, nobody);
  expect(() => openSqliteStore(join(shared, "warren.db"), [order])).toThrow("belongs to another user");
  expect(readFileSync(victim, "utf8")).toBe("");
});

asRoot("a database that another user has put there is not used, and one of ours is", async () => {
  const shared = join(folder.path, "shared");
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  const planted = join(shared, "warren.db");
  writeFileSync(planted, "");
  chownSync(planted, nobody, nobody);
  expect(() => openSqliteStore(planted, [order])).toThrow("use a folder of your own");
  const own = openSqliteStore(join(shared, "own.db"), [order]);
  await own.insert(order, order.example);
  await own.close();
  acquireLock(join(shared, "own.lock"))?.release();
});
