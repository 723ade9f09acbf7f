// A consumer's file can be opened and read while its consumer writes, and a lock can be looked at without keeping it from anybody.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { acquireLock, isLocked } from "../src/store/sqlite/connection/lock";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import { temporaryFolder } from "./support/folder";

test("a file that is up to date opens while another process has a transaction on it", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "queue.db");
  await openConsumerFile(path, { durable: false }).close();
  const writer = new Database(path);
  writer.run("BEGIN IMMEDIATE");
  // Would wait for two seconds, and then fail with SQLITE_BUSY.
  const file = openConsumerFile(path, { durable: false });
  expect(await file.dead.count()).toBe(0);
  await file.close();
  writer.run("ROLLBACK");
  writer.close();
  folder.remove();
});

test("a lock can be taken, and is seen to be held, however often another process looks at it", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "queue.lock");
  acquireLock(path)?.release();
  const source = `
    import { isLocked } from ${JSON.stringify(join(import.meta.dir, "../src/store/sqlite/connection/lock"))};
    console.log("looking");
    for (;;) isLocked(${JSON.stringify(path)});`;
  const looker = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe" });
  try {
    await looker.stdout.getReader().read();
    for (let taken = 0; taken < 500; taken += 1) {
      const lock = acquireLock(path);
      expect([lock === undefined, isLocked(path), acquireLock(path)]).toEqual([false, true, undefined]);
      lock?.release();
    }
  } finally {
    looker.kill();
    await looker.exited;
  }
  folder.remove();
});

test("a lock can be taken while another process that looks at it is suspended in the middle", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "queue.lock");
  acquireLock(path)?.release();
  const source = `
    import { Database } from "bun:sqlite";
    const db = new Database(${JSON.stringify(path)}, { readonly: true });
    db.run("BEGIN");
    db.run("SELECT 1 FROM sqlite_schema");
    console.log("looking");
    Bun.sleepSync(200);
    db.run("COMMIT");`;
  const looker = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe" });
  await looker.stdout.getReader().read();
  const lock = acquireLock(path);
  expect(lock).toBeDefined();
  lock?.release();
  await looker.exited;
  folder.remove();
});
