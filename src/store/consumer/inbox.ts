/** Ids of handled events, to detect duplicates. */
export interface Inbox {
  has(eventId: string): boolean;
  add(eventId: string, now: number): void;
  /** Deletes ids added before a time, in milliseconds since 1970. Returns their number. */
  expire(before: number): number;
}
