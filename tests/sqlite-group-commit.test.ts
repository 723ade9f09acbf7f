// Changes that arrive together share one transaction, and one that fails does not sink the others.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { StoreUnavailable } from "../src/store/errors";
import { BatchWriter } from "../src/store/sqlite/commit/batch-writer";
import { CommitThreadLost, startCommitThread } from "../src/store/sqlite/commit/commit-thread";
import type { CommitReport, Committer } from "../src/store/sqlite/commit/committer";
import { GroupCommit } from "../src/store/sqlite/commit/group-commit";
import { LocalCommitter } from "../src/store/sqlite/commit/local-committer";
import type { Write, Writes } from "../src/store/sqlite/commit/uncommitted";
import { unavailable } from "../src/store/sqlite/connection/unavailable";
import { temporaryFolder } from "./support/folder";

/** Maximum duration of a lock on the database, in milliseconds. */
const patienceMs = 30;
let folder: ReturnType<typeof temporaryFolder>;
let db: Database;
let commits: GroupCommit;
let insert: Write;

let committer: Committer;
let report: CommitReport;
/** Returns the ids of the newest events of the log. */
let newest: (count: number) => ReadonlySet<string>;
/** Number of commits. */
let committed: number;
/** Number of times when it was not known what is committed. */
let unknown: number;
beforeEach(() => {
  folder = temporaryFolder();
  db = new Database(join(folder.path, "test.db"), { create: true, strict: true });
  db.run("PRAGMA journal_mode = WAL");
  db.run("CREATE TABLE rows (n INTEGER PRIMARY KEY, text TEXT) STRICT");
  committed = unknown = 0;
  commits = new GroupCommit(
    ({ sql }, told) => {
      report = told;
      committer = new LocalCommitter(new BatchWriter(db, sql), report, patienceMs);
      return { commit: (...batch) => committer.commit(...batch), close: () => committer.close() };
    },
    {
      afterAnswers: () => {
        committed += 1;
      },
      newestEvents: (count) => newest(count),
      onUnknown: () => {
        unknown += 1;
      },
    },
  );
  insert = commits.uncommitted.prepare("INSERT INTO rows VALUES (?, ?)");
});
afterEach(async () => {
  await commits.close();
  db.close();
  folder.remove();
});

const write = (n: number, text = "") => {
  insert(n, text);
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

describe.each(["here", "on a thread"])("committed %s", (place) => {
  beforeEach(async () => {
    if (place !== "here") committer = await startCommitThread(db.filename, commits.uncommitted.sql, patienceMs, report);
  });

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
        throw cause;
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
});

describe("committed here, changes that arrive together", () => {
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
    expect([rows(), runs, committed]).toEqual([[], 2, 0]);

    db.run("PRAGMA max_page_count = 1000000");
    expect(await outcomes([big(1)])).toEqual([1]);
  });

  test("a database that another program keeps locked for too long", async () => {
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

describe("while a commit is under way", () => {
  /** Batches for the committer, which the test settles. */
  let batches: Writes[];
  let writer: BatchWriter;
  beforeEach(() => {
    batches = [];
    writer = new BatchWriter(db, commits.uncommitted.sql);
    committer = { commit: (writes) => void batches.push(writes), close: async () => {} };
  });

  const commitOldest = (count: number) => report.committed(count, writer.commit(batches.splice(0, count)), undefined);
  /** As a thread does it: what stands on a batch that has failed is not made either. */
  function fail(error: unknown): void {
    batches = [];
    report.failed(error);
  }
  const turn = () => new Promise(setImmediate);
  /** Adds one row behind the last one that is known. */
  const addRow = () => {
    const last = commits.uncommitted.find<number>("last") ?? rows().at(-1) ?? 0;
    commits.uncommitted.keep("last", last + 1);
    return write(last + 1);
  };

  test("the next changes see what it writes, and are answered after it", async () => {
    const answered: number[] = [];
    const changes: Promise<unknown>[] = [];
    for (let n = 0; n < 3; n += 1) {
      changes.push(commits.run(addRow).then((row) => answered.push(row)));
      await turn();
    }
    expect([batches.length, rows()]).toEqual([3, []]);
    commitOldest(1);
    await turn();
    expect(answered).toEqual([1]);
    commitOldest(2);
    await Promise.all(changes);
    expect([answered, rows(), commits.tally.changes.sum]).toEqual([[1, 2, 3], [1, 2, 3], 3]);
  });

  test("and fails, those that have seen what it wrote run again, without that", async () => {
    const bad = commits.run(() => {
      addRow();
      return write(1);
    });
    await turn();
    const good = [commits.run(addRow), commits.run(addRow)];
    await turn();
    expect(() => commitOldest(1)).toThrow("UNIQUE");
    fail(new Error("UNIQUE"));
    // Each alone, and the next one only when it has settled.
    await turn();
    expect(batches.length).toBe(1);
    fail(new Error("UNIQUE"));
    await expect(bad).rejects.toThrow("UNIQUE");
    for (const expected of [1, 2]) {
      await turn();
      expect(batches.length).toBe(1);
      commitOldest(1);
      expect(await good[expected - 1]).toBe(expected);
    }
    expect(rows()).toEqual([1, 2]);
  });

  test("a refusal that stands on it is answered when it is committed, and taken back when it fails", async () => {
    const refuseSecond = () => {
      if (commits.uncommitted.find("last") !== undefined) throw new Error("there is one");
      return addRow();
    };
    for (const isCommitted of [true, false]) {
      const first = commits.run(() => addRow());
      await turn();
      const second = commits.run(refuseSecond).then(String, String);
      await turn();
      if (isCommitted) commitOldest(2);
      else fail(new StoreUnavailable("disk"));
      const settled = await Promise.allSettled([first, second]);
      expect(settled).toMatchObject(
        isCommitted
          ? [{ value: 1 }, { value: "Error: there is one" }]
          : [{ reason: { message: "disk" } }, { value: "StoreUnavailable: disk" }],
      );
    }
    expect(rows()).toEqual([1]);
  });

  test("the end waits for it, and for what those do who are answered; what comes later is refused", async () => {
    const first = commits.run(addRow).then(() => commits.run(addRow));
    await turn();
    const closing = commits.close();
    for (const expected of [1, 2]) {
      commitOldest(1);
      await turn();
      await turn();
      expect(rows().length).toBe(expected);
    }
    expect(await first).toBe(2);
    await closing;
    await expect(commits.run(addRow)).rejects.toBeInstanceOf(StoreUnavailable);
  });

  test("a listener may throw: all callers get their results, and nothing is left behind", async () => {
    const told = commits.run(() => {
      commits.uncommitted.onCommit(() => {
        throw new Error("told");
      });
      return addRow();
    });
    const next = commits.run(addRow);
    await turn();
    expect(() => commitOldest(1)).toThrow("told");
    expect(await Promise.all([told, next])).toEqual([1, 2]);
    expect(commits.uncommitted.find("last")).toBeUndefined();
    await commits.close();
  });

  test("and the thread is gone, and the log cannot be read: it is not said that nothing was changed", async () => {
    newest = () => {
      throw new Error("disk I/O error");
    };
    const change = commits.run(addRow);
    await turn();
    fail(new CommitThreadLost("gone"));
    await expect(change).rejects.toBeInstanceOf(CommitThreadLost);
    expect(commits.uncommitted.find("last")).toBeUndefined();
    expect(unknown).toBe(1);
  });

  test("and the thread is gone: what the log has was made, with all before it, and the rest runs again", async () => {
    const event = (id: string) => () => {
      commits.uncommitted.addsEvent(id);
      return addRow();
    };
    const changes: Promise<number>[] = [];
    for (const change of [event("a"), addRow, event("b"), addRow, event("c")]) {
      changes.push(commits.run(change));
      await turn();
    }
    let asked = 0;
    newest = (count) => {
      asked = count;
      return new Set(["before", "a", "b"]);
    };
    writer.commit(batches.splice(0, 3));
    fail(new CommitThreadLost("gone"));
    expect(await Promise.all(changes.slice(0, 3))).toEqual([1, 2, 3]);
    expect(asked).toBe(3);
    await turn();
    commitOldest(batches.length);
    expect(await Promise.all(changes)).toEqual([1, 2, 3, 4, 5]);
    expect(rows()).toEqual([1, 2, 3, 4, 5]);
  });

  test("nothing can be written by a change that has returned, nor prepared", async () => {
    let write: (() => number) | undefined;
    const change = commits.run(() => {
      write = addRow;
      return addRow();
    });
    await turn();
    expect(() => write?.()).toThrow("Write outside a change");
    expect(() => commits.uncommitted.prepare("DELETE FROM rows")).toThrow(
      "Prepared too late, while changes are in progress: DELETE FROM rows",
    );
    commitOldest(1);
    expect([await change, rows()]).toEqual([1, [1]]);
  });

  test("what writes nothing is answered without a commit, unless it stands on what is under way", async () => {
    expect(await commits.run(() => "read")).toBe("read");
    const written = commits.run(addRow);
    await turn();
    let isAnswered = false;
    const read = commits
      .run(() => commits.uncommitted.find("last"))
      .then((found) => {
        isAnswered = true;
        return found;
      });
    await turn();
    expect(isAnswered).toBe(false);
    commitOldest(2);
    expect([await written, await read]).toEqual([1, 1]);
    expect(commits.tally.changes.counts.reduce((sum, count) => sum + count)).toBe(1);
  });

  test("the end waits for what has to run again", async () => {
    const changes = [commits.run(addRow), commits.run(addRow)];
    await turn();
    let closed = false;
    const closing = commits.close().then(() => {
      closed = true;
    });
    fail(new Error("one of them"));
    for (let n = 0; n < 2; n += 1) {
      await turn();
      expect(closed).toBe(false);
      commitOldest(1);
    }
    expect(await Promise.all(changes)).toEqual([1, 2]);
    await closing;
  });
});
