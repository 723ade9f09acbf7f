import type { PostgresAddress } from "../../../config/postgres-url";
import type { Resource } from "../../../schema/resource";
import type { ServerInspection } from "../../inspection";
import type { ConsumerMove } from "../../moving/consumer-move";
import type { MoveSource } from "../../moving/move-source";
import { beforeAll, type MoveStanding, type MoveTarget } from "../../moving/move-target";
import type { BulkTable, MovedRow } from "../../moving/moved-tables";
import { openDatabase } from "../connection/connection";
import { PostgresError } from "../connection/errors";
import type { Database, Queries } from "../connection/queries";
import { inspectServer } from "../inspect";
import { keepResourceTables } from "../records/resource-tables";
import { migrate, storeMigrations, versionIn } from "../schema/migrations";
import { beginMove } from "./begin";
import { checksumOf, checksumSql } from "./checksum";
import { moveConsumer } from "./consumer";
import { finishMove } from "./finish";
import { misfit } from "./misfit";
import { coverPositions } from "./partitions";
import { bulkTable, columnValues, namesOf, rowsFrom } from "./sql-tables";
import { standingOf } from "./standing";

/** How long a statement may take that works on a whole table, in milliseconds. */
const patienceMs = 30 * 60_000;

/** Opens a schema to move a store to it. Connects at the first statement. */
export function openMoveTarget(address: PostgresAddress): MoveTarget {
  return new Target(openDatabase(address, { readers: 1, statementMs: patienceMs }), address);
}

class Target implements MoveTarget {
  readonly shown: string;
  /** Names this process in the target, so that another one can take over. */
  readonly #run = crypto.randomUUID();

  constructor(
    readonly database: Database,
    readonly address: PostgresAddress,
  ) {
    this.shown = address.shown;
  }

  inspect(): Promise<ServerInspection> {
    return inspectServer(this.database, this.address);
  }

  standing({ state }: MoveSource): Promise<MoveStanding> {
    return standingOf(this.database, this.address, state);
  }

  async begin(source: MoveSource, resources: readonly Resource[]): Promise<void> {
    await beginMove(this.database, this.address, source, this.#run);
    await migrate(this.database, this.address, storeMigrations, versionIn);
    await keepResourceTables(this.database, this.address, resources);
    await coverPositions(this.database, source.state);
  }

  async copiedTo(table: BulkTable): Promise<number> {
    const { name, key } = bulkTable(table);
    const [last] = await this.database.writer.query<{ key: number | null }>(`SELECT max(${key.name}) AS key FROM ${name}`);
    return last?.key ?? beforeAll;
  }

  async copy(table: BulkTable, after: number, rows: readonly MovedRow[]): Promise<void> {
    const to = bulkTable(table);
    const overriding = table.kind === "answers" || table.kind === "timers" ? "OVERRIDING SYSTEM VALUE" : "";
    // With the lock on the row, another process takes over only between two statements. The last key keeps a late one from adding rows.
    const sql = `WITH mine AS (SELECT 1 FROM warren_unfinished_move WHERE run = $1::uuid FOR SHARE),
      added AS (INSERT INTO ${to.name} (${namesOf(to)}) ${overriding} SELECT part.* FROM mine, ${rowsFrom(to, 3)} AS part
        WHERE coalesce((SELECT max(${to.key.name}) FROM ${to.name}), ${beforeAll}) = $2::bigint RETURNING 1)
      SELECT count(*)::int AS added FROM added`;
    const [result] = await this.#while(this.database.writer.query<{ added: number }>(sql, this.#run, after, ...columnValues(to, rows)));
    if (result?.added !== rows.length) throw this.#takenOver();
  }

  misfit(table: BulkTable, row: MovedRow): string | undefined {
    return misfit(bulkTable(table), row);
  }

  async difference(table: BulkTable, after: number, rows: readonly MovedRow[]): Promise<string | undefined> {
    const to = bulkTable(table);
    const { name: key, from } = to.key;
    const last = rows.at(-1)?.[from] as number;
    const found = this.database.writer.query<{ rows: number; sum: string }>(checksumSql(to, `${key} > $1 AND ${key} <= $2`), after, last);
    // While the database calculates its sum.
    const sum = checksumOf(to, rows);
    const [target] = await found;
    if (target?.rows === rows.length && target.sum === sum) return undefined;
    const range = `from ${rows[0]?.[from]} to ${last}`;
    return target?.rows === rows.length
      ? `rows ${range} have another checksum`
      : `${target?.rows} rows in place of ${rows.length} ${range}`;
  }

  async rowsAfter(table: BulkTable, key: number): Promise<number> {
    const to = bulkTable(table);
    const sql = `SELECT count(*)::int AS rows FROM ${to.name} WHERE ${to.key.name} > $1`;
    const [found] = await this.database.writer.query<{ rows: number }>(sql, key);
    return found?.rows ?? 0;
  }

  async distrust(): Promise<void> {
    await this.database.writer.query("UPDATE warren_unfinished_move SET state = '' WHERE run = $1::uuid", this.#run);
  }

  async moveConsumer(consumer: ConsumerMove): Promise<void> {
    // When all of the store has moved, no other process moves.
    const fence = consumer.replace ? (queries: Queries) => this.#hold(queries, "SHARE") : async () => {};
    await this.#while(moveConsumer(this.database, this.address, consumer, fence));
  }

  async finish(source: MoveSource): Promise<void> {
    await this.#while(
      this.database.transaction(
        async (queries) => {
          await this.#hold(queries, "UPDATE");
          await finishMove(queries, source);
        },
        { statementMs: patienceMs },
      ),
    );
  }

  close(): Promise<void> {
    return this.database.close();
  }

  /** Keeps other processes from taking over until the end of the transaction. */
  async #hold({ query }: Queries, lock: "SHARE" | "UPDATE"): Promise<void> {
    const mine = await query(`SELECT 1 FROM warren_unfinished_move WHERE run = $1::uuid FOR ${lock}`, this.#run);
    if (mine.length === 0) throw this.#takenOver();
  }

  /** Settles as a statement does that needs this process to be the one that copies. */
  async #while<T>(statement: Promise<T>): Promise<T> {
    try {
      return await statement;
    } catch (error) {
      // Another process has finished the move, or the schema was dropped.
      if (error instanceof PostgresError && error.sqlState === "42P01") throw this.#takenOver();
      throw error;
    }
  }

  #takenOver(): Error {
    return new Error(`Another process has taken over the move to ${this.shown}, or has changed what is there. This one ends.`);
  }
}
