import { item } from "../src/domain/item";
import { serializeEvent } from "../src/schema/event";
import { openDatabase } from "../src/store/postgres/connection/connection";
import { addPartitions } from "../src/store/postgres/log/partitions";
import { openPostgresStore } from "../src/store/postgres/store";
import type { PostgresSchema } from "../tests/support/postgres";
import type { Context } from "./benchmark";
import { sampleItem } from "./sample-events";

/** Number of events that one statement adds. */
const step = 250_000;

export interface LogOptions {
  readonly events: number;
  /** Number of items that the events are about, in turn. Their ids begin with 1. */
  readonly items: number;
  /** Time between two events. The last one is of now. */
  readonly everyMs: number;
}

/**
 * Creates a store with a log, in the partitions in which the service would have put its events. It has none of the items, so that
 * nothing but the log is large.
 */
export async function createLog(
  schema: PostgresSchema,
  { events, items, everyMs }: LogOptions,
  { progress }: Pick<Context, "progress">,
): Promise<void> {
  await (await openPostgresStore(schema.address, [item])).close();
  const database = openDatabase(schema.address, { statementMs: 600_000 });
  const started = performance.now();
  const now = Date.now();
  for (let from = 1; from <= events; from += step) {
    const to = Math.min(events, from + step - 1);
    await addPartitions(database);
    await database.writer.query(insertion, from, to, now - events * everyMs, everyMs, items, ...bodyParts());
    await database.writer.query("SELECT setval('warren_events_position', $1::bigint)", to);
    if (to % 1_000_000 === 0) progress(`${to.toLocaleString("en-US")} of ${events.toLocaleString("en-US")} events written …`);
  }
  await database.writer.query(`SELECT setval('"items.ids"', $1::bigint)`, items + 1);
  // As autovacuum and the checkpointer have done long ago for such a log.
  for (const statement of ["VACUUM (ANALYZE) events", "CHECKPOINT"]) await database.writer.query(statement);
  await database.close();
  progress(`${events.toLocaleString("en-US")} events written in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

/** Text that stands for the event's id, time and item. */
const marks = ["@id", "@time", "@item"] as const;

const [id, time, subject] = marks;

const insertion = `
  INSERT INTO events (position, id, type, subject, timestamp, body)
  SELECT n, id::uuid, type, subject, time, replace(replace(replace(body, '${id}', id), '${time}', time), '"${subject}"', subject::text)
  FROM (
    SELECT n, 1 + n % $5 AS subject, to_char(to_timestamp(at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time,
      format('%s-%s-7%s-8000-%s', substr(stamp, 1, 8), substr(stamp, 9, 4), lpad(to_hex(n % 4096), 3, '0'), lpad(to_hex(n), 12, '0')) AS id,
      CASE WHEN n <= $5 THEN 'item.created' ELSE 'item.updated' END AS type, CASE WHEN n <= $5 THEN $6 ELSE $7 END AS body
    FROM (
      SELECT n, at, lpad(to_hex(at::bigint), 12, '0') AS stamp
      FROM (SELECT n, $3::float8 + n * $4::float8 AS at FROM generate_series($1::bigint, $2::bigint) AS n) AS times
    ) AS stamped
  ) AS made ORDER BY n`;

/** Returns the bodies of an item's events, with marks. */
function bodyParts(): string[] {
  return ["item.created", "item.updated"].map((type, index) => {
    const record = { id: subject, ...sampleItem, version: index + 1, createdAt: time, updatedAt: time };
    return serializeEvent({ id, type, version: 1, timestamp: time }, item.name, JSON.stringify(record));
  });
}
