import type { Resource } from "../../../schema/resource";
import type { CheckedRecords } from "../../changes/record-checks";
import type { Stored } from "../../stored";
import type { Queries } from "../connection/queries";
import { recordColumns, type StoredRow, upToDate } from "./stored-row";

/** Maximum number of records in memory at a time. */
const batch = 1000;

/** Returns access to the records, for their check. */
export function checkedRecords(queries: Queries): CheckedRecords {
  return {
    async lastFingerprint({ name }) {
      const last = "SELECT fingerprint FROM warren_record_checks WHERE resource = $1";
      return (await queries.query<{ fingerprint: string }>(last, name))[0]?.fingerprint;
    },
    async save({ name }, fingerprint) {
      const save =
        "INSERT INTO warren_record_checks VALUES ($1, $2) ON CONFLICT (resource) DO UPDATE SET fingerprint = excluded.fingerprint";
      await queries.query(save, name, fingerprint);
    },
    batches: (resource) => batchesOf(queries, resource),
  };
}

async function* batchesOf({ query }: Queries, resource: Resource): AsyncGenerator<Stored[]> {
  const next = `SELECT ${recordColumns} FROM "${resource.plural}" WHERE id > $1 ORDER BY id LIMIT ${batch}`;
  for (let rows = await query<StoredRow>(next, 0); rows.length > 0; rows = await query<StoredRow>(next, rows.at(-1)?.id ?? 0))
    yield rows.map((row) => upToDate(resource, row));
}
