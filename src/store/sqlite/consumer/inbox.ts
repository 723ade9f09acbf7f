import type { Database } from "bun:sqlite";
import type { Inbox } from "../../consumer/inbox";
import type { Synchronous } from "./in-turn";

export function inboxTable(db: Database): Synchronous<Inbox> & { bound(now: number): void } {
  const find = db.prepare("SELECT 1 FROM warren_inbox WHERE id = ?");
  const claim = db.prepare("INSERT OR IGNORE INTO warren_inbox VALUES (?, ?)");
  const release = db.prepare("DELETE FROM warren_inbox WHERE id = ?");
  const add = db.prepare("INSERT OR REPLACE INTO warren_inbox VALUES (?, ?)");
  const bound = db.prepare("UPDATE warren_inbox SET at = ?1 WHERE at > ?1");
  const expire = db.prepare("DELETE FROM warren_inbox WHERE at < ?");
  return {
    has: (eventId) => find.get(eventId) !== null,
    claim: (eventIds, now) => new Set(eventIds.filter((eventId) => claim.run(eventId, now).changes > 0)),
    release(eventIds) {
      for (const eventId of eventIds) release.run(eventId);
    },
    add(eventIds, now) {
      for (const eventId of eventIds) add.run(eventId, now);
    },
    /** Corrects times after `now`, which came from a clock that was ahead. */
    bound: (now) => void bound.run(now),
    expire: (before) => expire.run(before).changes,
  };
}
