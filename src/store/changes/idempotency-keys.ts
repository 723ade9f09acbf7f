import { steadyNow } from "../../timing/clock";
import type { Once } from "../change-context";
import { KeyReused } from "../errors";
import { KeptAnswers, keyLifetimeMs } from "./kept-answers";
import type { Overlay } from "./overlay";

/** The stored answer to the first request with an idempotency key. */
export interface FirstAnswer {
  readonly fingerprint: string;
  readonly answer: string;
  /** When it was stored, in milliseconds since 1970. */
  readonly at: number;
  /** How long it is kept, in milliseconds. */
  readonly livesMs: number;
}

/** The answers in an engine: reads them as last committed, and writes with the running change. */
export interface StoredAnswers {
  get(key: string, part: number): FirstAnswer | undefined;
  /** Deletes the answers of all parts of a key. */
  forget(key: string): void;
  add(key: string, part: number, first: FirstAnswer): void;
  /** Deletes up to two answers whose life has ended before a time, in milliseconds since 1970. */
  expire(now: number): void;
}

/** Stores the first answer to each request with an idempotency key. Call its methods only inside a change. */
export class IdempotencyKeys {
  constructor(
    readonly overlay: Overlay,
    readonly stored: StoredAnswers,
    readonly kept = new KeptAnswers(),
  ) {}

  /**
   * Returns the stored answer of a key. If there is none, calls `make` and stores its result, unless that is undefined.
   *
   * @throws {KeyReused} if the key was used with another fingerprint.
   * @throws {TooMuchKept} if the owner has no room for another key.
   */
  answer<Answer extends string | undefined>(
    { key, part, fingerprint, owner = "", livesMs = keyLifetimeMs }: Once,
    make: () => Answer,
  ): string | Answer {
    const now = steadyNow();
    const name = `key ${key}/${part}`;
    const first = this.overlay.find<FirstAnswer>(name) ?? (this.overlay.find(`key ${key}`) ? undefined : this.stored.get(key, part));
    // The age of the first part decides for all parts, so that they expire together.
    if (first && (part > 0 || first.at >= now - first.livesMs)) {
      if (first.fingerprint === fingerprint) return first.answer;
      throw new KeyReused();
    }
    // Check the limit only at the first part, so that a request that has begun can finish.
    if (part === 0 && owner !== null) this.kept.check(owner, now);
    const answer = make();
    if (answer === undefined) return answer;
    // Not before: a change may run several times until one run is committed.
    if (owner !== null) this.overlay.onCommit(() => this.kept.add(owner, answer, now));
    if (part === 0) {
      this.stored.forget(key);
      this.overlay.keep(`key ${key}`, true);
    }
    const added = { fingerprint, answer, at: now, livesMs };
    this.stored.add(key, part, added);
    this.overlay.keep(name, added);
    // Each new key deletes up to two expired ones. The table shrinks, and the extra work per commit is bounded.
    this.stored.expire(now);
    return answer;
  }
}
