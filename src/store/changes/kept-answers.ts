import { TooMuchKept } from "../errors";

/** How long the first answer to a key is stored: 24 hours. */
export const keyLifetimeMs = 24 * 60 * 60 * 1000;

/** Maximum size of the answers stored for one owner in that time, in characters. */
const mostKept = 256 * 1024 * 1024;
/** Size of a key without its answer, in characters. */
const keyLength = 250;
/** Maximum number of owners counted separately. All others are counted together, since without API tokens clients can invent owners. */
const mostOwners = 100;

interface Period {
  /** Start of the period, in milliseconds since 1970. */
  readonly since: number;
  /** Size of the answers and keys added in this period, in characters. */
  length: number;
}

/** Limits the size of stored answers per owner. It counts per period of 24 hours, so the answers of two periods may exist at a time. */
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
    // A clock that goes back also starts a new period.
    if (!period || now - period.since >= keyLifetimeMs || now < period.since) {
      period = { since: now, length: 0 };
      this.#periods.set(name, period);
    }
    return period;
  }
}
