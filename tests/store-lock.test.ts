// A consumer's file can be opened and read while its consumer writes.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { openConsumerFile } from "../src/store/consumer-file";
import { temporaryFolder } from "./support/folder";

test("a file that is up to date opens while another process has a transaction on it", () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "queue.db");
  openConsumerFile(path, { durable: false }).close();
  const writer = new Database(path);
  writer.run("BEGIN IMMEDIATE");
  // Would wait for two seconds, and then fail with SQLITE_BUSY.
  const file = openConsumerFile(path, { durable: false });
  expect(file.dead.count()).toBe(0);
  file.close();
  writer.run("ROLLBACK");
  writer.close();
  folder.remove();
});
