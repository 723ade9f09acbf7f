// A lock on the database of a running API: changes wait for it, and everything else goes on.
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { environment, send, startApi } from "../support/processes";
import { useFolder } from "../support/use-folder";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const folder = useFolder();

test.each([
  ["here", undefined],
  ["on a thread", "tests/support/slow-commits.ts"],
])(
  "where commits are made %s: live answers all the time, a POST when the lock is given back, or 503 when that takes too long",
  async (_, preload) => {
    const env = environment(folder.path);
    const { url } = await startApi({ env }, preload);
    const post = () => send("POST", `${url}/items`, { name: "one" });
    // So that the thread runs.
    for (let n = 0; n < 5; n += 1) expect((await post()).status).toBe(201);
    const file = join(folder.path, "data", "warren.db");

    /** The longest that one answer took while the lock was held. */
    async function liveWhile(isOver: () => boolean): Promise<number> {
      let longest = 0;
      while (!isOver()) {
        const askedAt = performance.now();
        expect((await send("GET", `${url}/health/live`)).status).toBe(200);
        longest = Math.max(longest, performance.now() - askedAt);
      }
      return longest;
    }

    async function lockedFor(isOver: (sinceMs: number, answered: number) => boolean): Promise<{ longest: number; statuses: number[] }> {
      const db = new Database(file);
      db.run("BEGIN IMMEDIATE");
      const lockedAt = performance.now();
      let answered = 0;
      const posts = Array.from({ length: 4 }, async () => {
        const { status } = await post();
        answered += 1;
        return status;
      });
      const longest = await liveWhile(() => isOver(performance.now() - lockedAt, answered));
      db.run("ROLLBACK");
      db.close();
      return { longest, statuses: await Promise.all(posts) };
    }

    const short = await lockedFor((sinceMs) => sinceMs > 1500);
    expect(short.statuses).toEqual([201, 201, 201, 201]);
    const long = await lockedFor((_, answered) => answered === 4);
    expect(long.statuses).toEqual([503, 503, 503, 503]);
    // It blocked for two seconds at a time. The rest is for a busy machine.
    expect(Math.max(short.longest, long.longest)).toBeLessThan(1000);
    expect((await post()).status).toBe(201);
    expect(((await (await send("GET", `${url}/items?limit=100`)).json()) as { items: unknown[] }).items.length).toBe(5 + 4 + 1);
  },
);
