// Moving a store from a SQLite file to PostgreSQL.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { type MoveProgress, move } from "../src/store/moving/move";
import type { MoveSource } from "../src/store/moving/move-source";
import type { MoveTarget } from "../src/store/moving/move-target";
import { openMoveTarget } from "../src/store/postgres/moving/target";
import { openMoveSource } from "../src/store/sqlite/moving/move-source";
import { sqliteIn } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { testInFull } from "./support/in-full";
import { expectMoved, fillStore, resources } from "./support/moving";
import { describeWithPostgres, usePostgres } from "./support/postgres";
import { rejection } from "./support/rejection";
import { author } from "./support/stories";
import { withStore } from "./support/use-store";

describeWithPostgres("a move", () => {
  const postgres = usePostgres();
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(async () => {
    folder = temporaryFolder();
    await withStore(sqliteIn(folder.path), resources, (store) => fillStore(store, 24));
  });
  afterEach(async () => {
    folder.remove();
    await postgres().drop();
  });
  const fileIn = (name = "warren") => join(folder.path, `${name}.db`);

  /** Opens both ends of a move, with parts of few rows. */
  async function ends<T>(use: (source: MoveSource, target: MoveTarget) => Promise<T>, file = fileIn()): Promise<T> {
    const source = openMoveSource(file, resources, { locked: true, partRows: 9 });
    const target = openMoveTarget(postgres().address);
    try {
      return await use(source, target);
    } finally {
      source.close();
      await target.close();
    }
  }
  const never = new AbortController().signal;
  const moved = (onProgress: (at: MoveProgress) => void = () => {}, file = fileIn()) =>
    ends((source, target) => move(source, target, resources, { onProgress, stop: never }), file);

  const expectAll = () => expectMoved(fileIn(), postgres());

  test("carries over every row as it is, and goes on with the next position and the next ids", async () => {
    await moved();
    await expectAll();
    expect(await postgres().evaluate(`SELECT nextval('"authors.ids"')::int AS author, nextval('"stories.ids"')::int AS story`)).toEqual([
      { author: 25, story: 25 },
    ]);
    const answer = "INSERT INTO idempotency_keys (key, part, fingerprint, answer, at) VALUES ('a', 0, '', '', 0) RETURNING number::int";
    const before = await postgres().evaluate<{ last: number }>("SELECT max(number)::int AS last FROM idempotency_keys");
    expect(await postgres().evaluate(answer)).toEqual([{ number: (before[0]?.last ?? 0) + 1 }]);
    expect(await postgres().evaluate("SELECT name, shape, upcast_to, floor::int FROM warren_resources ORDER BY name")).toEqual([
      { name: "author", shape: 1, upcast_to: 1, floor: 24 },
      { name: "story", shape: 1, upcast_to: 1, floor: 24 },
    ]);
    expect(await postgres().evaluate("SELECT to_regclass('warren_unfinished_move') AS mark")).toEqual([{ mark: null }]);
  });

  testInFull(
    "that fails at any point goes on where it was",
    async () => {
      const steps = new Set<string>();
      for (let n = 1; ; n += 1) {
        let calls = 0;
        const failing = moved(({ step, table, rows }) => {
          steps.add(`${step} ${table} ${rows}`);
          calls += 1;
          if (calls === n) throw new Error("fails here");
        });
        const error = await failing.then(
          () => undefined,
          (failure: Error) => failure.message,
        );
        if (error === undefined) break;
        expect(error).toBe("fails here");
      }
      await expectAll();
      expect(steps.size).toBeGreaterThan(20);
    },
    30_000,
  );

  testInFull("copies everything anew if the source has changed since an interruption", async () => {
    const stopAt = (wanted: string) =>
      rejection(
        moved(({ step, table }) => {
          if (`${step} ${table}` === wanted) throw new Error("fails here");
        }),
      );
    await stopAt("comparing stories");
    await withStore(sqliteIn(folder.path), resources, async (store) => {
      await store.remove(author, 5);
      await store.erase(author, 6);
      await store.prune("9999", 9);
      expect((await store.insert(author, { name: "New" })).id).toBe(25);
    });
    await stopAt("copying idempotency keys");
    expect(await withStore(sqliteIn(folder.path), resources, (store) => store.get(author, 5))).toBeUndefined();
    await moved();
    await expectAll();
  });

  testInFull("copies everything anew if what was copied differs", async () => {
    const change = (script: string) => {
      let isCopied = false;
      return rejection(
        ends((source, target) => {
          const copiedTo: MoveTarget["copiedTo"] = async (table) => {
            // The last one, when the others are copied.
            if (table.kind === "relayTimes" && !isCopied) await postgres().evaluate(script);
            isCopied ||= table.kind === "relayTimes";
            return target.copiedTo(table);
          };
          return move(source, changed(target, { copiedTo }), resources, { onProgress: () => {}, stop: never });
        }),
      );
    };
    const advice = "Run the command again: it copies everything anew.";
    expect((await change("UPDATE events SET body = body || ' ' WHERE position = 20")).message).toBe(
      `What was copied to ${postgres().address.shown} differs: events: rows from 17 to 25 have another checksum. ${advice}`,
    );
    expect((await change("DELETE FROM authors WHERE id = 8")).message).toContain("authors: 8 rows in place of 9");
    expect((await change("INSERT INTO idempotency_keys OVERRIDING SYSTEM VALUE VALUES ('a', 0, 999, '', '', 0)")).message).toContain(
      "idempotency keys: it has 1 more after the last row",
    );
    await moved();
    await expectAll();
  });

  testInFull("by two processes at once is made by one of them", async () => {
    const other = fileIn("copy");
    const db = new Database(fileIn());
    db.run("VACUUM INTO ?", [other]);
    db.close();
    let second: Promise<void> | undefined;
    const first = ends(async (source, target) => {
      expect(() => openMoveSource(fileIn(), resources, { locked: true })).toThrow("is in use, by an API, an import or another move");
      // The other one has a copy of the file, as on another machine, and begins when this one is in the middle.
      const copy: MoveTarget["copy"] = async (table, after, rows) => {
        if (after >= 9) second ??= moved(() => {}, other);
        await second;
        await target.copy(table, after, rows);
      };
      await move(source, changed(target, { copy }), resources, { onProgress: () => {}, stop: never });
    });
    expect((await rejection(first)).message).toContain("Another process has taken over the move");
    await second;
    await expectAll();
    expect(await ends((source, target) => target.standing(source))).toBe("moved");
  });
});

/** Returns a target of which some methods are replaced. */
function changed(target: MoveTarget, methods: Partial<MoveTarget>): MoveTarget {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(name in methods ? methods : target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
