import type { Resource } from "../../src/schema/resource";
import type { Database, Queries } from "../../src/store/postgres/connection/queries";
import { noChanges, Slots } from "../../src/store/postgres/slots/slots";

/** A record with any fields. */
export interface TestRecord {
  readonly id: number;
  readonly version: number;
}

/** A change of a record: to another one, or to none. */
export type TestChange = { readonly before?: TestRecord; readonly after?: TestRecord };

/**
 * Writes records and their entries, as a commit does, but without events. Takes all that is in `changes`, so that tests can write thousands
 * of records with any times.
 */
export async function writeRecords(database: Database, slots: Slots, resource: Resource, changes: readonly TestChange[]): Promise<void> {
  const { plural } = resource;
  const made = noChanges();
  for (const { before, after } of changes) slots.addChanges(resource, (after ?? before)?.id ?? 0, before, after, made);
  const removed = changes.flatMap(({ before }) => (before ? [before.id] : []));
  const added = changes.flatMap(({ after }) => (after ? [after] : []));
  await database.transaction(async ({ query }) => {
    await query(`DELETE FROM "${plural}" WHERE id = ANY ($1::bigint[])`, removed);
    await query(
      `INSERT INTO "${plural}" SELECT id, version, 1, json FROM unnest($1::bigint[], $2::int[], $3::text[]) q(id, version, json)`,
      added.map(({ id }) => id),
      added.map(({ version }) => version),
      added.map((record) => JSON.stringify(record)),
    );
    await query(
      "DELETE FROM warren_entries w USING unnest($1::int[], $2::text[], $3::bigint[]) q(slot, key, id) WHERE (w.slot, w.key, w.id) = (q.slot, q.key, q.id)",
      made.removed.map(({ slot }) => slot),
      made.removed.map(({ key }) => key),
      made.removed.map(({ id }) => id),
    );
    await query(
      "INSERT INTO warren_entries SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[], $4::int[]) ON CONFLICT DO NOTHING",
      made.added.map(({ slot }) => slot),
      made.added.map(({ key }) => key),
      made.added.map(({ id }) => id),
      made.added.map(({ count }) => count),
    );
    await query(
      "DELETE FROM warren_unique_values w USING unnest($1::int[], $2::text[]) q(slot, value) WHERE (w.slot, w.value) = (q.slot, q.value)",
      made.removedValues.map(({ slot }) => slot),
      made.removedValues.map(({ value }) => value),
    );
    await query(
      "INSERT INTO warren_unique_values SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[])",
      made.addedValues.map(({ slot }) => slot),
      made.addedValues.map(({ value }) => value),
      made.addedValues.map(({ id }) => id),
    );
  });
}

/** Returns the entries that do not follow from the records of some resources, which are all there are, each with what is wrong. */
export async function wrongEntries(database: Queries, resources: readonly Resource[]): Promise<string[]> {
  const slots = await Slots.load(database);
  const rows = await database.query<{ slot: number; key: string; id: number; count: number | null }>(
    "SELECT slot, key, id, count FROM warren_entries UNION ALL SELECT slot, value, id, NULL FROM warren_unique_values",
  );
  const textOf = (slot: number, key: string, id: number, count: number | null) => JSON.stringify([slot, key, id, count]);
  const found = new Set(rows.map((row) => textOf(row.slot, row.key, row.id, row.count)));
  const expected = new Set<string>();
  for (const resource of resources) {
    const records = await database.query<{ id: number; json: string }>(`SELECT id, json FROM "${resource.plural}"`);
    for (const { id, json } of records)
      for (const { number, entriesOf } of slots.of(resource))
        for (const [key, count] of entriesOf(JSON.parse(json) as object)) expected.add(textOf(number, key, id, count));
  }
  return [
    ...[...expected].filter((entry) => !found.has(entry)).map((entry) => `missing ${entry}`),
    ...[...found].filter((entry) => !expected.has(entry)).map((entry) => `left ${entry}`),
  ];
}
