import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LogEntry } from "../../src/store/log";
import type { World } from "./world";

export interface Dead {
  readonly id: string;
  readonly reason: string;
  readonly attempts: number;
}

/** Read-only view of the files of one simulated system. */
export class Files {
  readonly #open = new Map<string, Database>();

  constructor(
    readonly world: World,
    readonly folder: string,
  ) {}

  get store(): string {
    return join(this.folder, "warren.db");
  }

  log(after: number): LogEntry[] {
    return this.#rows<LogEntry>(this.store, `SELECT * FROM events WHERE position > ${after} ORDER BY position`);
  }

  /** Returns the number of timers that wait. */
  timers(): number {
    return this.#rows<{ count: number }>(this.store, "SELECT count(*) AS count FROM warren_timers")[0]?.count ?? 0;
  }

  /** Returns what is stored of the schedule. Undefined if it is not announced yet. */
  schedule(): { readonly since: number; readonly isDone: number } | undefined {
    const sql = `SELECT since, dueAt IS NULL AND (done OR lastTick IS NULL
      OR EXISTS (SELECT 1 FROM idempotency_keys WHERE key = 'done ' || lastTick)) AS isDone FROM warren_schedules`;
    return this.#rows<{ since: number; isDone: number }>(this.store, sql)[0];
  }

  /** Returns the stored position of the relay. */
  relayed(): number {
    return this.#rows<{ position: number }>(this.store, "SELECT position FROM relay")[0]?.position ?? 0;
  }

  /** Returns the events with committed effects, in commit order. */
  effects(queue: string): string[] {
    return this.#rows<{ event: string }>(this.consumer(queue), "SELECT event FROM effects ORDER BY rowid").map(({ event }) => event);
  }

  hasEffect(queue: string, id: string): boolean {
    return this.#rows(this.consumer(queue), "SELECT 1 FROM effects WHERE event = ? LIMIT 1", id).length > 0;
  }

  progress(queue: string): number {
    return this.#rows<{ position: number }>(this.consumer(queue), "SELECT position FROM warren_progress")[0]?.position ?? 0;
  }

  waiting(queue: string): string[] {
    return this.#rows<{ id: string }>(this.consumer(queue), "SELECT id FROM warren_waiting").map(({ id }) => id);
  }

  dead(queue: string): Dead[] {
    return this.#rows<Dead>(this.consumer(queue), "SELECT id, reason, attempts FROM warren_dead");
  }

  unfinishedReplays(queue: string): number {
    const sql = "SELECT 1 FROM warren_replays WHERE finishedAt IS NULL";
    return this.#rows(this.consumer(queue), sql).length + this.#rows(this.store, sql).length;
  }

  consumer(queue: string): string {
    return join(this.folder, "consumers", `${queue}.db`);
  }

  close(): void {
    for (const database of this.#open.values()) database.close();
  }

  #rows<Row>(file: string, sql: string, ...values: string[]): Row[] {
    return this.world.aside(() => this.#ask<Row>(file, sql, values));
  }

  #ask<Row>(file: string, sql: string, values: readonly string[]): Row[] {
    if (!existsSync(file)) return [];
    let database = this.#open.get(file);
    if (!database) {
      database = new Database(file, { readonly: true });
      this.#open.set(file, database);
    }
    try {
      return database.query(sql).all(...values) as Row[];
    } catch (error) {
      // The owner has not created that table yet.
      if (error instanceof Error && error.message.startsWith("no such table")) return [];
      throw error;
    }
  }
}
