/** Value of a parameter in a statement. */
export type SqlValue = string | number | bigint | boolean | null | Uint8Array;

/**
 * SQL on the consumer's own tables, in the transaction that also records the event as handled. `values` are the parameters of the
 * statement, one for each `?`. Every call must be awaited. Its methods reject with the errors of the database.
 */
export interface Transaction {
  /** Engine of the database, for the few statements that each engine has its own SQL for, such as those that create triggers. */
  readonly engine: "sqlite" | "postgres";
  /** Runs a statement. Resolves with the number of rows that it changed. */
  run(sql: string, ...values: SqlValue[]): Promise<number>;
  /** Resolves with the first row of a query, or with undefined if there is none. */
  get<Row = Record<string, unknown>>(sql: string, ...values: SqlValue[]): Promise<Row | undefined>;
  /** Resolves with all rows of a query. */
  all<Row = Record<string, unknown>>(sql: string, ...values: SqlValue[]): Promise<Row[]>;
}
