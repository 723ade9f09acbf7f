/** A file of the store. */
export interface FileInspection {
  /** Path of the file, as messages show it. */
  readonly shown: string;
  readonly bytes: number;
  /** Bytes of commits that have not been written back into the file yet. */
  readonly pendingBytes: number;
  /** Why its contents are damaged; empty if they are sound. */
  readonly damage: readonly string[];
}

/** The database of the API, and the files of consumers. */
export interface StoreInspection {
  /** Undefined if the database does not exist yet. */
  readonly database: DatabaseInspection | undefined;
  readonly consumers: readonly FileInspection[];
}

export interface DatabaseInspection extends FileInspection {
  readonly schemaVersion: number;
  /** Version of the schema that this program needs. */
  readonly neededVersion: number;
}
