import { Turns } from "../../../timing/turns";
import type { ConsumerData } from "../../consumer/store";
import type { SqlValue, Transaction } from "../../consumer/transaction";
import { CannotOpenStore } from "../../errors";
import { PostgresError } from "../connection/errors";
import type { TransactionQueries } from "../connection/queries";
import { lockKey } from "../schema/migrations";

const shownLength = 80;

/**
 * Runs the `setup` of a consumer in a transaction, one process at a time: two that create a table at once would fail. Statements that
 * the role may not run are left out if a role that may has run them before, so that a role without such rights can start.
 *
 * @throws {CannotOpenStore} if nobody has run such a statement.
 */
export async function setUpOnce(
  { query }: TransactionQueries,
  own: ConsumerData,
  schema: string,
  setup: (tx: Transaction) => Promise<void>,
): Promise<void> {
  await query("SELECT pg_advisory_xact_lock($1::bigint)", lockKey(schema, "migrate"));
  const rows = await query<{ statement: string }>(`SELECT statement FROM "${schema}".warren_setup`);
  const before = new Set(rows.map(({ statement }) => statement));
  const done = new Set<string>();
  // The parts of a transaction cannot overlap.
  const turns = new Turns();

  /** Runs a statement in a part of the transaction, which can fail alone. */
  async function guarded<T>(sql: string, call: (tx: Transaction) => Promise<T>, otherwise: T): Promise<T> {
    const statement = new Bun.CryptoHasher("sha256").update(sql).digest("hex");
    await turns.take();
    try {
      const result = await own.together(({ transaction }) => call(transaction));
      done.add(statement);
      return result;
    } catch (error) {
      if (!(error instanceof PostgresError && error.sqlState === "42501")) throw error;
      if (before.has(statement)) return otherwise;
      throw mayNot(error, schema, sql);
    } finally {
      turns.end();
    }
  }

  await setup({
    engine: "postgres",
    run: (sql, ...values) => guarded(sql, (tx) => tx.run(sql, ...values), 0),
    get: <Row>(sql: string, ...values: SqlValue[]) => guarded(sql, (tx) => tx.get<Row>(sql, ...values), undefined),
    all: <Row>(sql: string, ...values: SqlValue[]) => guarded(sql, (tx) => tx.all<Row>(sql, ...values), []),
  });
  const added = [...done].filter((statement) => !before.has(statement));
  if (added.length > 0) await query(`INSERT INTO "${schema}".warren_setup SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`, added);
}

function mayNot(cause: PostgresError, schema: string, sql: string): CannotOpenStore {
  const line = sql.replace(/\s+/g, " ").trim();
  const shown = line.length <= shownLength ? line : `${line.slice(0, shownLength - 1).toWellFormed()}…`;
  return new CannotOpenStore(
    `The role in DATABASE_URL may not run a statement of \`setup\` in the schema "${schema}": ${shown} (${cause.message}). ` +
      "Start the consumer once as the owner of the schema, who runs it for all roles.",
    { cause },
  );
}
