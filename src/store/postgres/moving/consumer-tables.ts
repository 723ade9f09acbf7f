import { type ConsumerTable, consumerColumns } from "../../moving/consumer-move";
import type { MovedRow } from "../../moving/moved-tables";
import type { Queries } from "../connection/queries";
import { laneOf } from "../consumer/lane-of";
import { laneCount } from "../consumer/schema";
import { columnValues, namesOf, rowsFrom, type SqlTable, sqlTable } from "./sql-tables";

const declared: Readonly<Record<Exclude<ConsumerTable, "progress" | "replays" | "waiting">, string>> = {
  follows: "log_id text, start bigint, types text",
  dead:
    "number bigint, id text, type text, body text, reason text, error text escaped, stack text escaped, attempts int, " +
    "first_failure text, last_failure text, replay text, traceparent text",
  deaths: "id text, count int",
  attempts: "number bigint, id text, attempt int, at bigint, outcome text, reason text, error text escaped, due_at bigint",
  inbox: "id text, at bigint",
};
const waiting =
  "number bigint, id text, body text, attempts int, due_at bigint, delay_ms bigint, first_failure text, replay text, " +
  "traceparent text, begun int, lane int";
const replays =
  "id text, log_id text, queue text, fill int, selection text, first bigint, last bigint, sent bigint, created_at text, " +
  "finished_at text, error text, position bigint, begun bigint";
const lanes = `generate_series(0, ${laneCount - 1}) AS lane`;

/** Returns a table of a queue's schema, for the rows of {@link storedRows}. That of progress and that of replays are made of several. */
export function consumerTable(table: ConsumerTable): SqlTable {
  const columns = consumerColumns[table];
  if (table === "waiting") return sqlTable("warren_waiting", [...columns, "lane"], waiting);
  // As all lanes together are, if each is there.
  const together = `(SELECT source, min(position) AS position, max(begun) AS begun FROM warren_progress
    GROUP BY source HAVING count(*) = ${laneCount})`;
  if (table === "progress") {
    const name = `(SELECT * FROM ${together} AS lanes WHERE source NOT IN (SELECT id FROM warren_replays)) AS moved`;
    return sqlTable(name, columns, "source text, position bigint, begun bigint");
  }
  if (table === "replays") {
    const name = `(SELECT warren_replays.*, coalesce(position, last) AS position, coalesce(begun, last) AS begun
      FROM warren_replays LEFT JOIN ${together} AS lanes ON source = id) AS moved`;
    return sqlTable(name, columns, replays);
  }
  return sqlTable(`warren_${table}`, columns, declared[table]);
}

/** Returns rows of the source as this engine keeps them. */
export function storedRows(table: ConsumerTable, rows: readonly MovedRow[]): readonly MovedRow[] {
  if (table === "waiting") return rows.map((row) => ({ ...row, lane: laneOf(String(row["body"])) }));
  // A replay that was not ended before its last event has no progress left.
  if (table === "replays") {
    return rows.map((row) => {
      const { last = 0, finishedAt, error } = row;
      return finishedAt === null || error !== null ? row : { ...row, position: last, begun: last };
    });
  }
  return rows;
}

/** Adds rows to a queue's schema. */
export async function addRows({ query }: Queries, table: ConsumerTable, rows: readonly MovedRow[]): Promise<void> {
  const to = consumerTable(table);
  const values = columnValues(to, rows);
  const from = `${rowsFrom(to, 1)} AS part(${namesOf(to)})`;
  if (table === "progress") {
    await query(
      `INSERT INTO warren_progress (source, lane, position, begun) SELECT source, lane, position, begun FROM ${from} CROSS JOIN ${lanes}`,
      ...values,
    );
  } else if (table === "replays") {
    const own = "id, log_id, queue, fill, selection, first, last, sent, created_at, finished_at, error";
    await query(
      `WITH part AS (SELECT * FROM ${from}), added AS (INSERT INTO warren_replays (${own}) SELECT ${own} FROM part)
       INSERT INTO warren_progress (source, lane, position, begun, sent)
       SELECT id, lane, position, begun, CASE lane WHEN 0 THEN sent ELSE 0 END FROM part CROSS JOIN ${lanes} WHERE finished_at IS NULL OR error IS NOT NULL`,
      ...values,
    );
  } else {
    const overriding = to.key.name === "number" ? "OVERRIDING SYSTEM VALUE" : "";
    await query(`INSERT INTO ${to.name} (${namesOf(to)}) ${overriding} SELECT * FROM ${from}`, ...values);
  }
}
