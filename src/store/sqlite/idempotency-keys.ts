import type { Database, Statement } from "bun:sqlite";
import { steadyNow } from "../../timing/steady-time";
import { KeyReused } from "../errors";
import type { Once } from "../store";
import { KeptAnswers, keyLifetimeMs } from "./kept-answers";
import type { Uncommitted, Write } from "./uncommitted";

export const idempotencyKeySchema = `
  CREATE TABLE idempotency_keys (
    number      INTEGER PRIMARY KEY, -- in the order of time, in which they expire
    key         TEXT NOT NULL,
    part        INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    answer      TEXT NOT NULL,
    at          INTEGER NOT NULL, -- milliseconds since 1970
    UNIQUE (key, part)
  ) STRICT;
`;

interface First {
  readonly fingerprint: string;
  readonly answer: string;
  readonly at: number;
}

/** The first answers to requests with a key. Its methods belong into a change. */
export class IdempotencyKeys {
  readonly #kept = new KeptAnswers();
  readonly #find: Statement<First, [string, number]>;
  readonly #forget: Write;
  readonly #add: Write;
  readonly #expire: Write;

  constructor(
    db: Database,
    readonly uncommitted: Uncommitted,
  ) {
    // The clock of an earlier process may have been ahead; keys of a time to come would keep others from expiring.
    const newest = db.query<{ at: number }, []>("SELECT at FROM idempotency_keys ORDER BY number DESC LIMIT 1").get();
    const now = steadyNow();
    if (newest && newest.at > now) db.run("UPDATE idempotency_keys SET at = ?1 WHERE at > ?1", [now]);
    this.#find = db.prepare("SELECT fingerprint, answer, at FROM idempotency_keys WHERE key = ? AND part = ?");
    this.#forget = uncommitted.prepare("DELETE FROM idempotency_keys WHERE key = ?");
    this.#add = uncommitted.prepare("INSERT INTO idempotency_keys (key, part, fingerprint, answer, at) VALUES (?, ?, ?, ?, ?)");
    this.#expire = uncommitted.prepare(
      "DELETE FROM idempotency_keys WHERE number IN (SELECT number FROM idempotency_keys ORDER BY number LIMIT 2) AND at < ?",
    );
  }

  /**
   * Returns the first answer, which `make` makes when there is none.
   *
   * @throws {KeyReused}
   * @throws {TooMuchKept}
   */
  answer({ key, part, fingerprint, owner = "" }: Once, make: () => string): string {
    const now = steadyNow();
    const name = `key ${key}/${part}`;
    const first = this.uncommitted.find<First>(name) ?? (this.uncommitted.find(`key ${key}`) ? null : this.#find.get(key, part));
    // The first part tells for all of them, so that they expire together.
    if (first && (part > 0 || first.at >= now - keyLifetimeMs)) {
      if (first.fingerprint === fingerprint) return first.answer;
      throw new KeyReused();
    }
    // Only a request as a whole: what has begun is finished.
    if (part === 0) this.#kept.check(owner, now);
    const answer = make();
    this.#kept.add(owner, answer, now);
    if (part === 0) {
      this.#forget(key);
      this.uncommitted.keep(`key ${key}`, true);
    }
    this.#add(key, part, fingerprint, answer, now);
    this.uncommitted.keep(name, { fingerprint, answer, at: now });
    // Two go for each that comes: the table shrinks again by itself, and no commit waits for more than that.
    this.#expire(now - keyLifetimeMs);
    return answer;
  }
}
