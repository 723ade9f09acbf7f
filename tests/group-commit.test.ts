// Changes that arrive together share one transaction, and one that fails does not sink the others.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { GroupCommit, Refused, unavailable } from "../src/store/group-commit";
import { StoreUnavailable } from "../src/store/store";
import { temporaryFolder } from "./support/folder";

let folder: ReturnType<typeof temporaryFolder>;
let db: Database;
let commits: GroupCommit;
/** How often something was committed. */
let committed: number;
beforeEach(() => {
  folder = temporaryFolder();
  db = new Database(join(folder.path, "test.db"), { create: true, strict: true });
  db.run("PRAGMA journal_mode = WAL");
  db.run("CREATE TABLE rows (n INTEGER PRIMARY KEY, text TEXT) STRICT");
  committed = 0;
  commits = new GroupCommit(db, {
    committed: () => {
      committed += 1;
    },
  });
});
afterEach(() => {
  db.close();
  folder.remove();
});

const write = (n: number, text = "") => {
  db.run("INSERT INTO rows VALUES (?, ?)", [n, text]);
  return n;
};
const rows = () =>
  db
    .query<{ n: number }, []>("SELECT n FROM rows ORDER BY n")
    .all()
    .map(({ n }) => n);

async function outcomes(changes: readonly (() => unknown)[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(changes.map((change) => commits.run(change)));
  return settled.map((each) => (each.status === "fulfilled" ? each.value : each.reason));
}

describe("changes that arrive together", () => {
  test("are one transaction, in their order, and each gets its own result", async () => {
    expect(await outcomes(Array.from({ length: 100 }, (_, n) => () => write(n)))).toEqual(Array.from({ length: 100 }, (_, n) => n));
    const { seconds, changes } = commits.tally;
    expect([seconds.counts.reduce((sum, count) => sum + count), changes.sum]).toEqual([1, 100]);
    expect(committed).toBe(1);
  });

  test("are answered after the commit, not before", async () => {
    const other = new Database(db.filename, { readonly: true });
    const seen = commits.run(() => write(1)).then(() => other.query("SELECT n FROM rows").all());
    expect(await seen).toEqual([{ n: 1 }]);
    other.close();
  });

  test("are bounded: a flood is several transactions", async () => {
    await outcomes(Array.from({ length: 2500 }, (_, n) => () => write(n)));
    expect([committed, rows().length]).toEqual([3, 2500]);
  });

  test("flush commits at once what waits", async () => {
    const waiting = commits.run(() => write(1));
    commits.flush();
    expect(rows()).toEqual([1]);
    expect(await waiting).toBe(1);
    // The one that was scheduled finds nothing left to do.
    await new Promise(setImmediate);
    expect(committed).toBe(1);
  });

  test("a change that comes while the others commit goes into the next transaction", async () => {
    let later: Promise<number> | undefined;
    await commits.run(() => {
      later = commits.run(() => write(2));
      return write(1);
    });
    expect(await later).toBe(2);
    expect(rows()).toEqual([1, 2]);
  });
});

describe("one bad change", () => {
  test("that refuses before it has written fails alone, in the same transaction", async () => {
    const cause = new Error("no such thing");
    const refuse = () => {
      throw new Refused("refused", { cause });
    };
    expect(await outcomes([() => write(1), refuse, () => write(2)])).toEqual([1, cause, 2]);
    expect([rows(), committed]).toEqual([[1, 2], 1]);
  });

  test("that fails after it has written is undone, and its neighbours commit", async () => {
    const halfway = () => {
      write(10);
      throw new TypeError("halfway");
    };
    expect(await outcomes([() => write(1), halfway, () => write(2)])).toEqual([1, new TypeError("halfway"), 2]);
    expect(rows()).toEqual([1, 2]);
  });

  test("that breaks a rule of the database is undone, and its neighbours commit", async () => {
    const [first, second, third] = await outcomes([() => write(1), () => write(1), () => write(3)]);
    expect([first, third]).toEqual([1, 3]);
    expect(second).toMatchObject({ code: "SQLITE_CONSTRAINT_PRIMARYKEY" });
    expect(second).not.toBeInstanceOf(StoreUnavailable);
    expect(rows()).toEqual([1, 3]);
  });
});

describe("trouble of the store itself", () => {
  test("a full disk rejects all of the group, changes nothing and tries nothing again", async () => {
    const pages = db.query<{ page_count: number }, []>("PRAGMA page_count").get()?.page_count ?? 0;
    db.run(`PRAGMA max_page_count = ${pages}`);
    let runs = 0;
    const big = (n: number) => () => {
      runs += 1;
      return write(n, "x".repeat(10_000));
    };
    const errors = await outcomes([big(1), big(2)]);
    for (const error of errors) {
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(String(error)).toMatch(/^StoreUnavailable: SQLITE_FULL: /);
    }
    expect([rows(), runs, committed]).toEqual([[], 1, 0]);

    db.run("PRAGMA max_page_count = 1000000");
    expect(await outcomes([big(1)])).toEqual([1]);
  });

  test("a database that another program keeps locked", async () => {
    const other = new Database(db.filename);
    other.run("BEGIN IMMEDIATE");
    const [error] = await outcomes([() => write(1)]);
    expect(String(error)).toMatch(/^StoreUnavailable: SQLITE_BUSY/);
    other.run("ROLLBACK");
    expect(await outcomes([() => write(1)])).toEqual([1]);
    other.close();
  });

  test.each([
    ["SQLITE_BUSY", true],
    ["SQLITE_BUSY_SNAPSHOT", true],
    ["SQLITE_IOERR_FSYNC", true],
    ["SQLITE_FULL", true],
    ["SQLITE_CORRUPT", true],
    ["SQLITE_NOTADB", true],
    ["SQLITE_READONLY_DBMOVED", true],
    ["SQLITE_CANTOPEN", true],
    ["SQLITE_NOMEM", true],
    ["SQLITE_CONSTRAINT_UNIQUE", false],
    ["SQLITE_ERROR", false],
    ["SQLITE_MISUSE", false],
    ["ENOENT", false],
  ])("%s is that: %p", (code, is) => {
    const cause = Object.assign(new Error("why"), { code });
    const error = unavailable(cause);
    expect(error instanceof StoreUnavailable).toBe(is);
    if (is) expect(error).toMatchObject({ message: `${code}: why`, cause });
    else expect(error).toBe(cause);
  });
});
