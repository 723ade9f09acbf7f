/** Ids of handled events, to detect duplicates. */
export interface Inbox {
  has(eventId: string): Promise<boolean>;
  /**
   * Adds ids before their events are handled, in the transaction that handles them. If another process adds an id at the same time, waits
   * until that has ended. Resolves with the ids that were not in the inbox.
   *
   * @param now time to record, by {@link steadyNow}.
   */
  claim(eventIds: readonly string[], now: number): Promise<Set<string>>;
  /** Removes claimed ids whose events were not handled. */
  release(eventIds: readonly string[]): Promise<void>;
  /** Adds ids of handled events. Replaces the time of those that are there. */
  add(eventIds: readonly string[], now: number): Promise<void>;
  /** Deletes ids added before a time, in milliseconds since 1970. Resolves with their number. */
  expire(before: number): Promise<number>;
}
