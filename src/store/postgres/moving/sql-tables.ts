import { type BulkTable, bulkColumns, type MovedRow, type SmallKind, smallColumns } from "../../moving/moved-tables";
import { plainText } from "../connection/plain-text";

/** A table of PostgreSQL into which rows move. */
export interface SqlTable {
  /** Its name in SQL. */
  readonly name: string;
  /** In the order of the source's. */
  readonly columns: readonly SqlColumn[];
  /** The first of them. */
  readonly key: SqlColumn;
}

export interface SqlColumn {
  /** Name in the rows that move. */
  readonly from: string;
  /** Name in SQL. */
  readonly name: string;
  readonly type: string;
  /** True for text of clients in which PostgreSQL keeps U+0000 escaped. */
  readonly isEscaped: boolean;
}

const bulk = {
  events:
    "position bigint, id uuid, type text, subject bigint, timestamp text, body text, traceparent text, request_id text, " +
    "requested_at bigint, owner text escaped, scope text escaped, cause text escaped",
  records: "id bigint, version int, shape smallint, json text",
  answers: "number bigint, key text, part int, fingerprint text, answer text, at bigint, lives_ms bigint",
  timers:
    "number bigint, due_at bigint, key text, resource text, subject bigint, event text, version int, data text, cause text, depth int, " +
    "actor text, traceparent text, problem text",
  relayTimes: "position bigint, at bigint",
};
const bulkNames = { events: "events", answers: "idempotency_keys", timers: "warren_timers", relayTimes: "relay_times" };

const small = {
  subscriptions: ["subscriptions", "queue text, types text, announced_at bigint, signed_at bigint"],
  retryQueues: ["retry_queues", "queue text, delay_ms bigint, expires_at bigint"],
  refusals: ["warren_refusals", "queue text, problem text, count bigint, last_at bigint"],
  replays: [
    "warren_replays",
    "id text, log_id text, queue text, fill int, selection text, first bigint, position bigint, begun bigint, last bigint, " +
      "sent bigint, refused bigint, created_at text, finished_at text, error text",
  ],
  schedules: [
    "warren_schedules",
    "number bigint, queue text, pattern text, time_zone text, missed text, overlap int, announced_at bigint, since bigint, due_at bigint, " +
      "last_at bigint, last_tick text, done int",
  ],
  recordChecks: ["warren_record_checks", "resource text, fingerprint text"],
  relayTrouble: ["warren_relay_trouble", "queue text, what text, since text"],
} as const;

export function bulkTable(table: BulkTable): SqlTable {
  const name = table.kind === "records" ? `"${table.resource.plural}"` : bulkNames[table.kind];
  return sqlTable(name, bulkColumns[table.kind], bulk[table.kind]);
}

export function smallTable(kind: SmallKind): SqlTable {
  const [name, columns] = small[kind];
  return sqlTable(name, smallColumns[kind], columns);
}

/**
 * @param from names of the columns in the rows that move.
 * @param declared their names and types in SQL.
 */
export function sqlTable(tableName: string, from: readonly string[], declared: string): SqlTable {
  const columns = declared.split(", ").map((column, index) => {
    const [name = "", type = "", escaped] = column.split(" ");
    return { from: from[index] ?? "", name, type, isEscaped: escaped !== undefined };
  });
  return { name: tableName, columns, key: columns[0] as SqlColumn };
}

export function namesOf({ columns }: SqlTable): string {
  return columns.map(({ name }) => name).join(", ");
}

/** Returns SQL for a table whose rows are the parameters from a number on: one array for each column. */
export function rowsFrom({ columns }: SqlTable, parameter: number): string {
  return `unnest(${columns.map(({ type }, index) => `$${parameter + index}::${type}[]`).join(", ")})`;
}

/** Returns the values of rows: one array for each column. */
export function columnValues({ columns }: SqlTable, rows: readonly MovedRow[]): (string | number | null)[][] {
  return columns.map((column) => rows.map((row) => storedValue(column, row)));
}

/** Returns the value of a row in a column, as it is stored. */
export function storedValue({ from, isEscaped }: SqlColumn, row: MovedRow): string | number | null {
  const value = row[from] ?? null;
  return isEscaped && typeof value === "string" ? plainText(value) : value;
}
