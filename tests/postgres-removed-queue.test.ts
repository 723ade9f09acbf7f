// A consumer on PostgreSQL whose schema somebody drops while it runs.
import { expect, test } from "bun:test";
import { readConfig } from "../src/config/config";
import { startConsumer } from "../src/consumer/start";
import { item } from "../src/domain/item";
import { CannotOpenStore } from "../src/store/errors";
import { openPostgresStore } from "../src/store/postgres/store";
import { describeWithPostgres, usePostgres } from "./support/postgres";
import { recordedLog } from "./support/recorded-log";
import { rejection } from "./support/rejection";

describeWithPostgres("a consumer whose schema is removed under it", () => {
  const schema = usePostgres();

  test("ends with a sentence that says what to do, and works again after the next start", async () => {
    const store = await openPostgresStore(schema().address, [item]);
    const config = readConfig({ isTerminal: false, listens: false, environment: { DATABASE_URL: schema().url, RABBITMQ_URL: "none" } });
    const handled: string[] = [];
    const start = async () => {
      const ready = Promise.withResolvers<void>();
      const options = {
        queue: "shelves",
        events: ["item.created"],
        onReady: () => ready.resolve(),
        handle: (event: { id: string }) => void handled.push(event.id),
      } as const;
      const consumer = await startConsumer(options, config, recordedLog().log);
      await ready.promise;
      return consumer;
    };
    const consumer = await start();
    await schema().evaluate(`DROP SCHEMA "${schema().name}.shelves" CASCADE`);
    const error = await rejection(consumer.ended);
    expect(error).toBeInstanceOf(CannotOpenStore);
    expect((error as Error).message).toStartWith(`Somebody has removed tables of the schema "${schema().name}.shelves" in `);
    await store.insert(item, { name: "Lamp", description: null, price: 1 });
    const next = await start();
    await next.rests?.();
    expect(handled).toHaveLength(1);
    await next.stop();
    await store.close();
  });
});
