// How the processes of a schema learn of each other's commits: by notifications, and without them.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { PostgresError } from "../src/store/postgres/connection/errors";
import type { Database } from "../src/store/postgres/connection/queries";
import { FollowingNotifier, LogWatch } from "../src/store/postgres/log/log-watch";
import { Notices } from "../src/store/postgres/log/notices";
import { describeWithPostgres } from "./support/postgres";
import { usePostgresTables } from "./support/postgres-schema";
import { eventually } from "./support/processes";
import { advance, settled } from "./support/settled";

describeWithPostgres("a notice", () => {
  const { schema, open } = usePostgresTables();

  /** Counts what a listening process hears. */
  async function listening(name = schema().name) {
    const heard = { log: 0, leases: 0 };
    const watch = new LogWatch({
      database: open(),
      schema: name,
      logId: "log",
      onAppend() {
        heard.log += 1;
      },
      onLease() {
        heard.leases += 1;
      },
    });
    // It tells once when it begins to listen, since it may have missed some, and once when it has looked at the end of the log.
    await eventually(() => (heard.leases === 1 && heard.log === 2) || undefined, "it to listen and to look");
    return { heard, watch };
  }

  test("reaches the other processes of its schema, and those only", async () => {
    const [near, far] = [await listening(), await listening("another")];
    const before = { ...far.heard };
    const notices = new Notices(open(), schema().name);
    const { log, leases } = near.heard;
    notices.send("log");
    await eventually(() => near.heard.log > log || undefined, "the notice");
    expect([near.heard.leases, far.heard]).toEqual([leases, before]);
    notices.send("leases");
    await eventually(() => near.heard.leases > leases || undefined, "the other notice");
    expect(far.heard).toEqual(before);
    for (const { watch } of [near, far]) watch.close();
    notices.close();
  });
});

/** Connections that note the notifications sent, whose answers the test gives, and whose listener it is. */
function recorded() {
  const sent: unknown[] = [];
  const answers: (() => void)[] = [];
  let hear: (payload: string | undefined) => void = () => {};
  const log: { state: { logId: string; end: number } | undefined; trouble: Error | undefined } = {
    state: { logId: "log", end: 0 },
    trouble: undefined,
  };
  const database = {
    query: async (sql: string, ...values: unknown[]) => {
      if (sql.includes("FROM meta")) {
        if (log.trouble) throw log.trouble;
        return [log.state];
      }
      sent.push(values.at(-1));
      return new Promise<[]>((resolve) => void answers.push(() => resolve([])));
    },
    listen: (_: string, heard: typeof hear) => {
      hear = heard;
      return () => {
        hear = () => {};
      };
    },
  } as unknown as Database;
  return { database, log, sent, answer: () => answers.shift()?.(), hear: (payload: string | undefined) => hear(payload) };
}

/** Counts the calls of a listener. */
function counted() {
  let appends = 0;
  return {
    appends: () => appends,
    onAppend() {
      appends += 1;
    },
  };
}

test("a burst of notices is two: one at once, and one for all that came while it was sent", async () => {
  jest.useFakeTimers();
  const { database, sent, answer } = recorded();
  const notices = new Notices(database, "shop");
  for (let n = 0; n < 100; n += 1) notices.send("log");
  notices.send("leases");
  expect(sent).toEqual(["log", "leases"]);
  answer();
  await advance(4);
  expect(sent).toHaveLength(2);
  await advance(1);
  expect(sent).toEqual(["log", "leases", "log"]);
  answer();
  answer();
  await advance(5);
  await advance(5);
  expect(sent).toHaveLength(3);
  notices.send("log");
  expect(sent).toHaveLength(4);
  jest.useRealTimers();
});

describe("a watch of the log", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function watching() {
    const { database, log, hear } = recorded();
    const { appends, onAppend } = counted();
    const watch = new LogWatch({ database, schema: "shop", logId: "log", onAppend });
    return { log, hear, appends, watch };
  }

  test("finds what was committed without any notification, within 150 ms", async () => {
    const { log, appends, watch } = watching();
    await settled();
    const before = appends();
    await advance(1000);
    expect(appends()).toBe(before);
    log.state = { logId: "log", end: 1 };
    await advance(150);
    expect(appends()).toBe(before + 1);
    watch.close();
    log.state = { logId: "log", end: 2 };
    await advance(1000);
    expect(appends()).toBe(before + 1);
  });

  test("would miss a commit that nobody tells of if it relied on notifications", async () => {
    const { look } = LogWatch.prototype;
    LogWatch.prototype.look = async () => {};
    const { log, hear, appends, watch } = watching();
    log.state = { logId: "log", end: 1 };
    await advance(60_000);
    expect(appends()).toBe(0);
    hear("log");
    expect(appends()).toBe(1);
    watch.close();
    LogWatch.prototype.look = look;
  });

  test("goes on after the database was away, and notices a log that was restored", async () => {
    const { log, appends, watch } = watching();
    log.state = { logId: "log", end: 5 };
    await settled();
    log.trouble = new Error("away");
    for (let turn = 0; turn < 3; turn += 1) await advance(150);
    expect([appends(), watch.isReplaced]).toEqual([1, false]);
    log.trouble = undefined;
    log.state = { logId: "log", end: 3 };
    await advance(150);
    expect([appends(), watch.isReplaced]).toEqual([2, false]);
    watch.close();
  });

  test("knows that the schema was removed, or has another log", async () => {
    const { log, watch } = watching();
    await settled();
    expect(watch.isReplaced).toBe(false);
    log.trouble = new PostgresError('relation "meta" does not exist', "42P01");
    await advance(150);
    expect(watch.isReplaced).toBe(true);
    log.trouble = undefined;
    await advance(150);
    expect(watch.isReplaced).toBe(false);
    log.state = { logId: "another", end: 0 };
    await advance(150);
    expect(watch.isReplaced).toBe(true);
    watch.close();
  });

  test("tells a consumer once that something may have changed, and wakes it", async () => {
    const { database, hear } = recorded();
    const { appends: wakes, onAppend: wake } = counted();
    const notifier = new FollowingNotifier({ database, schema: "shop", logId: "log" }, wake);
    await settled();
    expect([notifier.changed(), notifier.changed()]).toEqual([true, false]);
    const before = wakes();
    hear("leases");
    expect([notifier.changed(), wakes()]).toEqual([false, before]);
    hear("log");
    expect([notifier.changed(), notifier.changed(), wakes()]).toEqual([true, false, before + 1]);
    notifier.close();
  });
});
