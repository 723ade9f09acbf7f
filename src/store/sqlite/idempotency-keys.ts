import type { Database, Statement } from "bun:sqlite";
import { steadyNow } from "../../timing/steady-time";
import type { Once } from "../change-context";
import { KeyReused } from "../errors";
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

/** Stores the first answer to each request with an idempotency key. Call its methods only inside a change. */
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
    // The clock of an earlier process may have been ahead. Keys dated in the future would keep others from expiring.
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
   * Returns the stored answer of a key. If there is none, calls `make` and stores its result, unless that is undefined.
   *
   * @throws {KeyReused} if the key was used with another fingerprint.
   * @throws {TooMuchKept} if the owner has no room for another key.
   */
  answer<Answer extends string | undefined>({ key, part, fingerprint, owner = "" }: Once, make: () => Answer): string | Answer {
    const now = steadyNow();
    const name = `key ${key}/${part}`;
    const first = this.uncommitted.find<First>(name) ?? (this.uncommitted.find(`key ${key}`) ? null : this.#find.get(key, part));
    // The age of the first part decides for all parts, so that they expire together.
    if (first && (part > 0 || first.at >= now - keyLifetimeMs)) {
      if (first.fingerprint === fingerprint) return first.answer;
      throw new KeyReused();
    }
    // Check the limit only at the first part, so that a request that has begun can finish.
    if (part === 0) this.#kept.check(owner, now);
    const answer = make();
    if (answer === undefined) return answer;
    this.#kept.add(owner, answer, now);
    if (part === 0) {
      this.#forget(key);
      this.uncommitted.keep(`key ${key}`, true);
    }
    this.#add(key, part, fingerprint, answer, now);
    this.uncommitted.keep(name, { fingerprint, answer, at: now });
    // Each new key deletes up to two expired ones. The table shrinks, and the extra work per commit is bounded.
    this.#expire(now - keyLifetimeMs);
    return answer;
  }
}
