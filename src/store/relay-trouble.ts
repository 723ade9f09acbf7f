/** Why the relay waits. */
export interface RelayTrouble {
  /** The queue that it waits for. Null: none, or none that is known. */
  readonly queue: string | null;
  /** A sentence for a person. */
  readonly what: string;
  /** When it began (ISO 8601). */
  readonly since: string;
}
