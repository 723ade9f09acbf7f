import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { readConfig } from "../src/config/config";
import { startConsumer } from "../src/consumer/start";
import { item } from "../src/domain/item";
import { startEngine } from "../src/engine/engine";
import { temporaryFolder } from "./support/folder";
import { eventually } from "./support/processes";
import { recordedLog } from "./support/recorded-log";
import { catalogue } from "./support/resources";

test("an inbox that cannot be tidied, as on a full disk, does not end the consumer", async () => {
  const folder = temporaryFolder();
  const { log, lines } = recordedLog();
  const config = readConfig({
    isTerminal: false,
    environment: { DATABASE_URL: `sqlite:${join(folder.path, "warren.db")}`, RABBITMQ_URL: "none" },
  });
  const engine = await startEngine(config, catalogue, log);
  let effects = 0;
  const consumer = await startConsumer(
    {
      queue: "ledger",
      exactlyOnce: true,
      inboxRetentionMs: 20,
      setup: (tx) => tx.run("CREATE TRIGGER full BEFORE DELETE ON warren_inbox BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"),
      handle() {
        effects += 1;
      },
    },
    config,
    log,
  );
  try {
    const insert = () => engine.dependencies.system.insert(item, { name: "thing", description: null, price: null });
    await insert();
    const line = await eventually(() => lines.find(({ level }) => level === "warn"), "the warning");
    expect(line).toMatchObject({
      queue: "ledger",
      msg: "Cannot remove old entries of the inbox; retrying",
      error: "database or disk is full",
    });
    await insert();
    await eventually(() => effects === 2 || undefined, "the second effect");

    const file = new Database(join(folder.path, "consumers", "ledger.db"));
    file.run("DROP TRIGGER full");
    await eventually(() => file.query("SELECT 1 FROM warren_inbox").all().length === 0 || undefined, "the inbox to be tidied");
    file.close();
  } finally {
    await consumer.stop();
    await engine.stop();
    folder.remove();
  }
});
