/** The other processes that serve the same store. */
export interface Peers {
  /**
   * Sends a text to all of them. It may be lost, as it is through a connection pooler.
   *
   * @param text of up to {@link longestTold} bytes.
   */
  tell(text: string): void;
  /** Calls `listener` with each text that one of them sends. */
  onTold(listener: (text: string) => void): void;
}

/** Maximum length of a text for other processes, in bytes: PostgreSQL's for a notification is 7,999. */
export const longestTold = 7900;
