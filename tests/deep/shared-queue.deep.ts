// Two processes of one queue on PostgreSQL. More of them, and what befalls them, are in real-shared-queue.deep.ts.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { describeWithPostgres, sharedPostgres } from "../support/postgres";
import { schemaWithQueues } from "../support/postgres-transport";
import { endAll } from "../support/processes";
import { type QueueProcess, SharedQueue } from "../support/shared-queue";

setDefaultTimeout(60_000);

describeWithPostgres("two processes of one queue", () => {
  let queue: SharedQueue;
  afterEach(async () => {
    await endAll();
    await queue.close();
    await queue.schema.drop();
  });

  test.each(["once", "at least once"] as const)("share the events, each record's in order, with effects %s", async (effects) => {
    queue = await SharedQueue.on(schemaWithQueues(await sharedPostgres()), effects);
    const [first, second] = await Promise.all([queue.start(), queue.start()]);
    await queue.shared(first, second);
    await queue.create(64);
    await queue.change(5);
    await queue.settled();
    expect(await queue.faults()).toEqual({ lost: 0, repeated: 0, outOfOrder: 0 });
    expect(new Set((await queue.done()).map((effect) => effect.process))).toEqual(new Set([first.pid, second.pid]));
    expect(await Promise.all([first.stop(), second.stop()])).toEqual([0, 0]);
  });

  test("each have their own options: what one of them skips, the other one does not get", async () => {
    queue = await SharedQueue.on(schemaWithQueues(await sharedPostgres()), "once");
    const [first, second] = await Promise.all([queue.start({ env: { EVENTS: "depot.created" } }), queue.start()]);
    await queue.shared(first, second);
    await queue.create(64);
    await queue.change(1);
    await queue.settled();
    const done = await queue.done();
    const versionsBy = ({ pid }: QueueProcess) => new Set(done.flatMap((effect) => (effect.process === pid ? effect.version : [])));
    expect([versionsBy(first), versionsBy(second)]).toEqual([new Set([1]), new Set([1, 2])]);
    const versions = (version: number) => done.filter((effect) => effect.version === version).length;
    expect([versions(1), versions(2)]).toEqual([64, 32]);
  });
});
