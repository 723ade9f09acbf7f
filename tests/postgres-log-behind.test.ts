// A log in PostgreSQL that ends before what others know of it: a part of the database was restored, or a replica without the last events
// was promoted. See docs/guide/postgres.md.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { EventStreams } from "../src/feed/event-streams";
import type { Leadership } from "../src/store/leadership";
import { testInFull } from "./support/in-full";
import { depot } from "./support/parcels";
import { describeWithPostgres, sharedPostgres } from "./support/postgres";
import { schemaWithQueues } from "./support/postgres-transport";
import { endAll, run } from "./support/processes";
import { depotQueue, SharedQueue } from "./support/shared-queue";

setDefaultTimeout(60_000);

const ofEpoch = (epoch: number): Leadership => ({ until: new AbortController().signal, holds: () => true, epoch });

describeWithPostgres("a log that ends before", () => {
  let queue: SharedQueue;
  beforeEach(async () => {
    queue = await SharedQueue.on(schemaWithQueues(await sharedPostgres()), "once");
    await queue.create(20);
  });
  afterEach(async () => {
    await endAll();
    await queue.close();
    await queue.schema.drop();
  });

  /** Loses the events after a position, as a replica that did not have them yet. */
  const loseAfter = (position: number) =>
    queue.schema.evaluate(`DELETE FROM events WHERE position > ${position}; SELECT setval('warren_events_position', ${position})`);

  testInFull("a consumer's position refuses the consumer, says what to do, and loses nothing of it", async () => {
    const first = await queue.start();
    await queue.settled();
    await first.stop();
    await loseAfter(15);
    const refused = run(["tests/support/depot-consumer.ts"], {
      env: { DATABASE_URL: queue.schema.url, RABBITMQ_URL: "none", EFFECTS: "once", LOG_LEVEL: "warn" },
    });
    expect(await refused.exited).toBe(1);
    const message = refused.stderr.join("\n");
    expect(message).toContain(
      `The consumer's position 20, kept in the schema "${queue.schema.name}.${depotQueue}", is after the end of the event log, 15`,
    );
    expect(message).toContain("bun run queues remove");
    expect(message).not.toContain(" at ");
    // As the guide says.
    await queue.schema.evaluate(
      `UPDATE "${queue.schema.name}.${depotQueue}".warren_progress SET position = least(position, 15), begun = least(begun, 15)`,
    );
    await queue.start();
    await queue.store.insert(depot, { city: "Oslo" });
    await queue.settled();
    expect((await queue.done()).map(({ version }) => version)).toEqual(Array.from({ length: 21 }, () => 1));
  });

  test("the relay's position has the relay go on with the next event", async () => {
    const { relayed } = queue.store;
    await relayed.takeOver(ofEpoch(1));
    expect(await relayed.save(20, ofEpoch(1))).toBe(true);
    expect(await relayed.takeOver(ofEpoch(2))).toBe(20);
    await loseAfter(15);
    expect([await relayed.takeOver(ofEpoch(3)), await relayed.load()]).toEqual([15, 15]);
  });

  test("a stream's position ends the stream, so that its client learns of it when it reconnects", async () => {
    const streams = new EventStreams(queue.store.log, { heartbeatMs: 100, patienceMs: 60_000, retryMs: 10 });
    const open = (position: number) =>
      new Promise<string>((resolve) => {
        const stays = setTimeout(() => resolve("stays"), 2000);
        const end = () => {
          clearTimeout(stays);
          resolve("ended");
        };
        streams.open({ write: () => undefined, end, cut: end }, { position, filter: { types: null, subject: null } });
      });
    await loseAfter(15);
    expect(await open(20)).toBe("ended");
    streams.close();
  });
});
