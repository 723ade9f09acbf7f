// A PostgreSQL that refuses every change for a while, since its disk is full or it is read-only: what consumers with exactly-once effects do.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { readConfig } from "../../src/config/config";
import { startConsumer } from "../../src/consumer/start";
import { item } from "../../src/domain/item";
import { startEngine } from "../../src/engine/engine";
import { schemaNameOf } from "../../src/store/postgres/consumer/schema-name";
import { describeWithPostgres, type PostgresSchema, sharedPostgres } from "../support/postgres";
import { schemaWithQueues } from "../support/postgres-transport";
import { eventually } from "../support/processes";
import { recordedLog } from "../support/recorded-log";
import { catalogue } from "../support/resources";

setDefaultTimeout(60_000);

/** More refusals than an event may fail attempts. */
const refusals = 8;

describeWithPostgres("while the database refuses every change, an exactly-once consumer", () => {
  let schema: PostgresSchema;
  afterEach(() => schema.drop());

  test.each(["disk_full", "read_only_sql_transaction"])("waits, and its events stay in order: %s", async (condition) => {
    schema = schemaWithQueues(await sharedPostgres());
    const { log, lines } = recordedLog();
    const config = readConfig({ isTerminal: false, environment: { DATABASE_URL: schema.url, RABBITMQ_URL: "none" } });
    const engine = await startEngine(config, catalogue, log);
    const attempts = new Set<number>();
    const ready = Promise.withResolvers<void>();
    const consumer = await startConsumer(
      {
        queue: "ledger",
        events: ["item.*"],
        exactlyOnce: true,
        retry: { attempts: 2, firstDelayMs: 10 },
        onReady: () => ready.resolve(),
        setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS effects (number INTEGER, version INTEGER)"),
        handle: async (event, { tx, attempt }) => {
          attempts.add(attempt);
          await tx.run("INSERT INTO effects SELECT count(*), ? FROM effects", event.item.version);
        },
      },
      config,
      log,
    );
    try {
      await ready.promise;
      const effects = `"${schemaNameOf(schema.name, "ledger")}".effects`;
      await schema.evaluate(`
        CREATE SEQUENCE refusals;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN
            IF nextval('${schema.name}.refusals') > ${refusals} THEN RETURN NEW; END IF;
            RAISE ${condition} USING MESSAGE = 'refused';
          END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON ${effects} FOR EACH ROW EXECUTE FUNCTION refuse()`);
      const { system: store } = engine.dependencies;
      await store.insert(item, item.example);
      await store.update(item, 1, (current) => ({ ...current, name: "another" }));
      await eventually(() => consumer.counts.handled === 2 || undefined, "both events to be handled", 40_000);
      expect(consumer.counts).toMatchObject({ handled: 2, retried: 0, deadLettered: 0 });
      expect(attempts).toEqual(new Set([1]));
      expect(await schema.evaluate(`SELECT version FROM ${effects} ORDER BY number`)).toEqual([{ version: 1 }, { version: 2 }]);
      expect(lines.filter(({ msg }) => msg.startsWith("Cannot write what events have done")).length).toBeGreaterThan(0);
    } finally {
      await consumer.stop();
      await engine.stop();
    }
  });
});
