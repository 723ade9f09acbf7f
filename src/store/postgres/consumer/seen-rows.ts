import { leaseMs } from "../leases/leased-task";

/** Time in which a process that lives renews what it has, with some to spare, in milliseconds. */
const renewedWithinMs = 1500;

/** A row that its process renews. */
interface Renewed {
  /** False if it has not been renewed in time, by the clock of the database. */
  readonly isHeld: boolean;
  /** Changes with each renewal. */
  readonly expiresAt: number;
}

/**
 * Tells which rows of other processes are no longer renewed. The clock of the database may be put back or forward, so a row must also have
 * stayed the same by the clock of this process.
 */
export class SeenRows {
  readonly #seen = new Map<string | number, { readonly expiresAt: number; readonly since: number }>();

  /**
   * Notes a row as it is at `now`. Returns whether its process has let it expire.
   *
   * @param now a time that is not put back or forward, in milliseconds.
   */
  isAbandoned(key: string | number, { isHeld, expiresAt }: Renewed, now: number): boolean {
    const known = this.#seen.get(key);
    if (known?.expiresAt !== expiresAt) {
      this.#seen.set(key, { expiresAt, since: now });
      return false;
    }
    return now - known.since > (isHeld ? leaseMs : renewedWithinMs);
  }
}
