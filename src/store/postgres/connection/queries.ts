/** A parameter of a statement. An array is one parameter, such as of `= ANY($1)` or `unnest($1::bigint[])`. */
export type Value = Scalar | readonly Scalar[];

type Scalar = string | number | bigint | boolean | null | Uint8Array;

/**
 * Runs statements on a database. A statement starts when `query` is called, whether or not its result is awaited.
 *
 * Rejects with `StoreUnavailable` if the database cannot be reached or used now or does not answer in time, and with
 * `PostgresError` if it refuses the statement.
 */
export interface Queries {
  /**
   * Runs one statement. `$1` stands for the first of `values`. Resolves with its rows, in which `bigint` is a number.
   *
   * Each different text leaves a prepared statement on the server, so texts are fixed: use arrays in place of a text per size.
   */
  query<Row = object>(sql: string, ...values: Value[]): Promise<Row[]>;
}

/** Runs statements that write. */
export interface Writer extends Queries {
  /** Runs one statement as `query` does. Resolves with the number of rows that it changed. */
  change(sql: string, ...values: Value[]): Promise<number>;
}

/** The statements of one transaction. */
export interface TransactionQueries extends Writer {
  /** Runs a script of several statements without parameters. */
  script(sql: string): Promise<void>;
  /**
   * Sets the last statement. It is sent when the work of the transaction has ended, and the COMMIT without waiting for its answer, so that
   * locks that it takes are not held during a round trip. If it fails, so does the transaction.
   */
  last(sql: string, ...values: Value[]): void;
}

export interface TransactionOptions {
  /** Maximum duration of each of its statements, in milliseconds. Default: as for others. */
  readonly statementMs?: number;
}

/** A database, with a few connections to it. They are opened when they are needed and again after they were lost. */
export interface Database extends Queries {
  /** Runs a statement on the connection with the fewest of them. Plans read an index rather than a whole table. */
  readonly query: Queries["query"];
  /** The connection of commits, on which statements run in the order in which they are called. Each may wait for other processes. */
  readonly writer: Writer;
  /**
   * Returns another connection, for statements that must neither wait for commits nor delay them. They run in the order in which they
   * are called.
   *
   * @param purpose what it is for, in the server's list of connections.
   */
  line(purpose: string): Writer;
  /**
   * Runs `work` in a transaction on a connection of its own, at READ COMMITTED, and commits. Resolves with what `work` returns. If
   * `work` throws, rolls back and rejects with its error.
   */
  transaction<T>(work: (queries: TransactionQueries) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Listens on a channel for notifications, which may be lost. Calls `heard` also whenever it may have missed some: at first, and
   * after the connection was lost. Never rejects; it tries again until it is stopped. Returns a function that stops it. Through a
   * pooler, no notification comes.
   */
  listen(channel: string, heard: (payload: string | undefined) => void): () => void;
  /** Closes all connections. Statements in progress reject. */
  close(): Promise<void>;
}
