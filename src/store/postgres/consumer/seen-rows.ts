/**
 * Since when rows that other processes renew are as they are, by the clock of this process. That of the database says nothing about it: it
 * may be put back or forward.
 */
export class SeenRows {
  readonly #seen = new Map<string | number, { readonly renewal: number; readonly since: number }>();

  /**
   * Notes a row as it is. Returns for how long it has been so, in milliseconds.
   *
   * @param renewal differs for each renewal.
   * @param now a time that is not put back or forward, in milliseconds.
   */
  unchangedMs(key: string | number, renewal: number, now: number): number {
    const known = this.#seen.get(key);
    if (known?.renewal === renewal) return now - known.since;
    this.#seen.set(key, { renewal, since: now });
    return 0;
  }
}
