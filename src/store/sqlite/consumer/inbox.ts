import type { Database } from "bun:sqlite";
import type { Inbox } from "../../consumer/inbox";

/** The inbox in a consumer's file. */
export class SqliteInbox implements Inbox {
  readonly #find;
  readonly #add;
  readonly #bound;
  readonly #expire;

  constructor(db: Database) {
    this.#find = db.prepare("SELECT 1 FROM warren_inbox WHERE id = ?");
    this.#add = db.prepare("INSERT OR REPLACE INTO warren_inbox VALUES (?, ?)");
    this.#bound = db.prepare("UPDATE warren_inbox SET at = ?1 WHERE at > ?1");
    this.#expire = db.prepare("DELETE FROM warren_inbox WHERE at < ?");
  }

  has(eventId: string): boolean {
    return this.#find.get(eventId) !== null;
  }

  add(eventId: string, now: number): void {
    this.#add.run(eventId, now);
  }

  /** Corrects times after `now`, which came from a clock that was ahead. */
  bound(now: number): void {
    this.#bound.run(now);
  }

  expire(before: number): number {
    return this.#expire.run(before).changes;
  }
}
