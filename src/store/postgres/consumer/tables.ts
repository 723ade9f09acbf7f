import type { ConsumerTables } from "../../consumer/tables";
import type { SqlValue } from "../../consumer/transaction";
import type { Database, TransactionQueries } from "../connection/queries";
import { handlerStatements } from "./data";

/** Returns access to what a consumer's handlers have written, which it does not change. */
export function consumerTables(database: Database, schema: string): ConsumerTables {
  const reading = <T>(work: (queries: TransactionQueries) => Promise<T>) =>
    database.transaction(async (queries) => {
      await queries.query("SELECT set_config('search_path', $1, true), set_config('transaction_read_only', 'on', true)", `"${schema}"`);
      return work(queries);
    });
  return {
    has: (table) =>
      reading(
        async ({ query }) => (await query("SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = $2", schema, table)).length > 0,
      ),
    get: <Row>(sql: string, ...values: SqlValue[]) => reading((queries) => handlerStatements(queries).get<Row>(sql, ...values)),
    all: <Row>(sql: string, ...values: SqlValue[]) => reading((queries) => handlerStatements(queries).all<Row>(sql, ...values)),
    close: async () => {},
  };
}
