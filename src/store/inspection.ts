/** A file of the store, or a schema of a database server. */
export interface FileInspection {
  /** Its path or name, as messages show it. */
  readonly shown: string;
  readonly bytes: number;
  /** Bytes of commits that have not been written back into the file yet. */
  readonly pendingBytes: number;
  /** Why its contents are damaged; empty if they are sound. */
  readonly damage: readonly string[];
}

/** The database of the API, and what consumers keep. */
export interface StoreInspection {
  /** Undefined if the database does not exist yet. */
  readonly database: DatabaseInspection | undefined;
  readonly consumers: readonly FileInspection[];
}

export interface DatabaseInspection extends FileInspection {
  readonly schemaVersion: number;
  /** Version of the schema that this program needs. */
  readonly neededVersion: number;
  /** The database server. Null if the database is a file. */
  readonly server: ServerInspection | null;
}

/** A database server, as this program's user sees it. */
export interface ServerInspection {
  /** Its name and version. */
  readonly product: string;
  /** Why it cannot serve the API or a consumer: it is too old, for example. Empty if it can. */
  readonly obstacles: readonly Advice[];
  /** Settings with which it could lose commits or stop working. */
  readonly dangers: readonly Advice[];
  /** Connections in use, and the maximum for users without special rights. */
  readonly connections: { readonly used: number; readonly most: number; readonly perProcess: number };
  readonly isEncrypted: boolean;
  /** True if the connection leaves this machine. */
  readonly isRemote: boolean;
  readonly user: string;
  /** True if the user may do anything on the server. */
  readonly isSuperuser: boolean;
  /** Age in seconds of the oldest transaction that this program may see. Null if there is none. */
  readonly oldestTransactionSeconds: number | null;
  /** Milliseconds by which the server's clock is ahead of this machine's. */
  readonly clockAheadMs: number;
}

/** A problem, and what to do about it. */
export interface Advice {
  readonly what: string;
  readonly todo: string;
}
