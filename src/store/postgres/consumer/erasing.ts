import type { ConsumerStores } from "../../consumer/stores";
import type { Database, TransactionQueries } from "../connection/queries";

/** Rows read at a time, since each may be large. */
const batch = 200;
const patienceMs = 10 * 60_000;

type IsChosen = Parameters<ConsumerStores["erase"]>[1];

/** Deletes what a consumer keeps of some events. Resolves with the number of waiting events and dead letters. */
export async function eraseEvents(database: Database, schema: string, isChosen: IsChosen, isDryRun: boolean): Promise<number> {
  const chosen = new Set<string>();
  let count = 0;
  await database.transaction(
    async (queries) => {
      for (const name of ["warren_waiting", "warren_dead"]) {
        const table = `"${schema}".${name}`;
        const found = await chosenIn(queries, table, isChosen);
        count += found.length;
        for (const { id } of found) chosen.add(id);
        if (!isDryRun)
          await queries.change(
            `DELETE FROM ${table} WHERE number = ANY($1::bigint[])`,
            found.map(({ number }) => number),
          );
      }
      if (isDryRun) return;
      const attempts = `"${schema}".warren_attempts`;
      const ids = await queries.query<{ id: string }>(`SELECT DISTINCT id FROM ${attempts}`);
      const all = ids.flatMap(({ id }) => (chosen.has(id) || isChosen({ id, body: "" }) ? id : []));
      await queries.change(`DELETE FROM ${attempts} WHERE id = ANY($1::text[])`, all);
    },
    { statementMs: patienceMs },
  );
  return count;
}

async function chosenIn({ query }: TransactionQueries, table: string, isChosen: IsChosen): Promise<{ number: number; id: string }[]> {
  const found: { number: number; id: string }[] = [];
  for (let after = 0; ; ) {
    const rows = await query<{ number: number; id: string; body: string }>(
      `SELECT number, id, body FROM ${table} WHERE number > $1 ORDER BY number LIMIT ${batch}`,
      after,
    );
    for (const row of rows) if (isChosen(row)) found.push({ number: row.number, id: row.id });
    const last = rows.at(-1);
    if (!last) return found;
    after = last.number;
  }
}
