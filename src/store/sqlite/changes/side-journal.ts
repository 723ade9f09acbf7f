import type { Database } from "bun:sqlite";
import type { EntryChange } from "../../changes/side-entries";
import type { GroupCommit } from "../commit/group-commit";
import type { Write } from "../commit/uncommitted";
import type { PendingEntries, SideChange } from "./pending-entries";
import type { SideTable } from "./side-tables";

export const sideJournalSchema = `
  -- Changes of side tables that are not in them yet: a JSON array of [table, key, id, 1 or 0].
  CREATE TABLE warren_side_journal (number INTEGER PRIMARY KEY, generation INTEGER NOT NULL, changes TEXT NOT NULL) STRICT;
`;

/** Number of record changes in the journal at which it is merged into the tables. */
export const journalAtMost = 16_384;
/** Maximum number of rows that one commit of a merge writes. */
const chunk = 1000;

type Line = readonly [table: string, key: string | number, id: number, isHeld: 0 | 1];

/**
 * Writes the changes of side tables to a journal, and merges them into the tables later, in the order of their keys. Keys arrive in
 * random order, so that writing each at once would rewrite a page of the table for each. The journal is a table that only grows at its
 * end until it is merged. What is not merged is also in memory.
 */
export class SideJournal {
  readonly #append: Write;
  readonly #clear: Write;
  readonly #put: ReadonlyMap<SideTable, Write>;
  readonly #delete: ReadonlyMap<SideTable, Write>;
  readonly #pending: ReadonlyMap<string, PendingEntries>;
  /** Number of the rows that are written now. Those with a lower number are merged. */
  #generation = 0;
  /** The oldest generation that is not merged. */
  #oldest = 0;
  /** Number of committed rows of each generation. */
  readonly #rows = new Map<number, number>();
  #merging: Promise<void> | undefined;
  #isStopped = false;

  constructor(
    readonly commits: GroupCommit,
    readonly tables: readonly SideTable[],
    readonly atMost = journalAtMost,
  ) {
    const { uncommitted } = commits;
    this.#append = uncommitted.prepare("INSERT INTO warren_side_journal (generation, changes) VALUES (?, ?)");
    this.#clear = uncommitted.prepare(
      "DELETE FROM warren_side_journal WHERE number IN (SELECT number FROM warren_side_journal ORDER BY number LIMIT ?) AND generation = ?",
    );
    this.#pending = new Map(tables.map(({ name, pending }) => [name, pending]));
    this.#put = new Map(tables.map((table) => [table, uncommitted.prepare(sqlToPut(table.name))]));
    this.#delete = new Map(tables.map((table) => [table, uncommitted.prepare(sqlToDelete(table.name))]));
  }

  /** Adds the changes of one or several records. Call it only inside a change of the group commit. */
  add(changes: readonly EntryChange[]): void {
    const generation = this.#generation;
    this.#append(generation, JSON.stringify(changes.map(({ name, key, id, isHeld }): Line => [name, key, id, isHeld ? 1 : 0])));
    this.commits.uncommitted.onCommit(() => {
      for (const change of changes) this.#pending.get(change.name)?.add(generation, change);
      const rows = (this.#rows.get(generation) ?? 0) + 1;
      this.#rows.set(generation, rows);
      if (rows >= this.atMost && !this.#isStopped) this.#merging ??= this.#merge();
    });
  }

  /** Ends a merge after its current commit. The next start merges the rest. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#merging;
  }

  async #merge(): Promise<void> {
    try {
      // When this is committed, so are all changes of the generation.
      const newest = await this.commits.run(() => this.#generation++);
      for (; this.#oldest <= newest; this.#oldest += 1) await this.#mergeOne(this.#oldest);
    } catch {
      // The store is stopped or not available. The rest stays in the journal and in memory, and the next merge begins with it.
    } finally {
      this.#merging = undefined;
    }
  }

  async #mergeOne(generation: number): Promise<void> {
    for (const table of this.tables) {
      const changes = table.pending.sorted(generation);
      for (let start = 0; start < changes.length; start += chunk)
        await this.#commit(() => {
          for (const change of changes.slice(start, start + chunk)) this.#write(table, change);
        });
    }
    for (let rows = this.#rows.get(generation) ?? 0; rows > 0; rows -= chunk) await this.#commit(() => this.#clear(chunk, generation));
    for (const table of this.tables) table.pending.forget(generation);
    this.#rows.delete(generation);
  }

  async #commit(writes: () => void): Promise<void> {
    if (this.#isStopped) throw new Error("stopped");
    await this.commits.run(writes);
  }

  #write(table: SideTable, { key, id, isHeld }: SideChange): void {
    (isHeld ? this.#put : this.#delete).get(table)?.(key, id);
  }
}

/** Merges what an earlier process has left in the journal, in one transaction. Tables that no longer exist are skipped. */
export function mergeJournal(db: Database): void {
  const lines = db.query<{ changes: string }, []>("SELECT changes FROM warren_side_journal ORDER BY number").all();
  if (lines.length === 0) return;
  const last = new Map<string, Line>();
  for (const { changes } of lines) for (const line of JSON.parse(changes) as Line[]) last.set(JSON.stringify(line.slice(0, 3)), line);
  const isThere = db.prepare("SELECT 1 FROM warren_side_tables WHERE name = ?");
  db.transaction(() => {
    for (const name of new Set([...last.values()].map(([table]) => table))) {
      if (!isThere.get(name)) continue;
      const own = [...last.values()].filter(([table]) => table === name).sort(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
      const [put, remove] = [db.prepare(sqlToPut(name)), db.prepare(sqlToDelete(name))];
      for (const [, key, id, isHeld] of own) (isHeld ? put : remove).run(key, id);
    }
    db.run("DELETE FROM warren_side_journal");
  }).immediate();
}

function sqlToPut(table: string): string {
  return `INSERT OR REPLACE INTO "${table}" (key, id) VALUES (?, ?)`;
}

/** SQL that deletes an entry, but not that of another record with the same key. So the order of changes does not matter. */
function sqlToDelete(table: string): string {
  return `DELETE FROM "${table}" WHERE key = ? AND id = ?`;
}
