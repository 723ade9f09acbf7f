import { TooMuchKept } from "../errors";

/** How long the first answer to a key is kept: 24 hours. */
export const keyLifetimeMs = 24 * 60 * 60 * 1000;

/** The most that is kept for one owner within that time, in characters. */
const mostKept = 256 * 1024 * 1024;
/** What a key takes besides its answer. */
const keyLength = 250;
/** Counted apart; all others are counted together, since without tokens a client may claim to be anybody. */
const mostOwners = 100;

interface Period {
  readonly since: number;
  length: number;
}

/** Bounds what the answers to keys take, for each owner. It counts in periods, so that two of them may lie there at a time. */
export class KeptAnswers {
  readonly #periods = new Map<string, Period>();

  constructor(readonly most = mostKept) {}

  /** @throws {TooMuchKept} if the owner has no room for another key. */
  check(owner: string, now: number): void {
    const { since, length } = this.#periodOf(owner, now);
    if (length >= this.most) throw new TooMuchKept(Math.max(1, Math.ceil((since + keyLifetimeMs - now) / 1000)));
  }

  add(owner: string, answer: string, now: number): void {
    this.#periodOf(owner, now).length += answer.length + keyLength;
  }

  #periodOf(owner: string, now: number): Period {
    const name = this.#periods.has(owner) || this.#periods.size < mostOwners ? owner : "others";
    let period = this.#periods.get(name);
    // A clock that was put back begins another period, too.
    if (!period || now - period.since >= keyLifetimeMs || now < period.since) {
      period = { since: now, length: 0 };
      this.#periods.set(name, period);
    }
    return period;
  }
}
