import type { Database, Statement } from "bun:sqlite";
import { steadyNow } from "../../../timing/clock";
import type { FirstAnswer, StoredAnswers } from "../../changes/idempotency-keys";
import type { Uncommitted, Write } from "../commit/uncommitted";

export const idempotencyKeySchema = `
  CREATE TABLE idempotency_keys (
    number      INTEGER PRIMARY KEY, -- in the order of time
    key         TEXT NOT NULL,
    part        INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    answer      TEXT NOT NULL,
    at          INTEGER NOT NULL, -- milliseconds since 1970
    UNIQUE (key, part)
  ) STRICT;
`;

/** Answers of different lives, of which the first to expire are deleted first. */
export const answerLivesSchema = `
  ALTER TABLE idempotency_keys ADD COLUMN livesMs INTEGER NOT NULL DEFAULT 86400000;
  CREATE INDEX idempotency_keys_end ON idempotency_keys (at + livesMs);
`;

/** Reads and writes the answers to requests with an idempotency key. */
export class AnswerTable implements StoredAnswers {
  readonly #find: Statement<FirstAnswer, [string, number]>;
  readonly #forget: Write;
  readonly #add: Write;
  readonly #expire: Write;

  constructor(db: Database, uncommitted: Uncommitted) {
    // The clock of an earlier process may have been ahead. Keys dated in the future would keep others from expiring.
    const newest = db.query<{ at: number }, []>("SELECT at FROM idempotency_keys ORDER BY number DESC LIMIT 1").get();
    const now = steadyNow();
    if (newest && newest.at > now) db.run("UPDATE idempotency_keys SET at = ?1 WHERE at > ?1", [now]);
    this.#find = db.prepare("SELECT fingerprint, answer, at, livesMs FROM idempotency_keys WHERE key = ? AND part = ?");
    this.#forget = uncommitted.prepare("DELETE FROM idempotency_keys WHERE key = ?");
    this.#add = uncommitted.prepare("INSERT INTO idempotency_keys (key, part, fingerprint, answer, at, livesMs) VALUES (?, ?, ?, ?, ?, ?)");
    this.#expire = uncommitted.prepare(
      "DELETE FROM idempotency_keys WHERE number IN (SELECT number FROM idempotency_keys WHERE at + livesMs < ? ORDER BY at + livesMs LIMIT 2)",
    );
  }

  get(key: string, part: number): FirstAnswer | undefined {
    return this.#find.get(key, part) ?? undefined;
  }

  forget(key: string): void {
    this.#forget(key);
  }

  add(key: string, part: number, { fingerprint, answer, at, livesMs }: FirstAnswer): void {
    this.#add(key, part, fingerprint, answer, at, livesMs);
  }

  expire(now: number): void {
    this.#expire(now);
  }
}
