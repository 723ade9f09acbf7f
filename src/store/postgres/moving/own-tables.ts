import type { ConsumerMoveSource, OwnRow, OwnTable } from "../../moving/consumer-move";
import { isDataError } from "../connection/errors";
import type { TransactionQueries } from "../connection/queries";

/** A table that a consumer's `setup` has created. */
interface CreatedTable {
  readonly name: string;
  /** The tables to which its foreign keys refer. */
  readonly refersTo: readonly string[];
  readonly columns: readonly CreatedColumn[];
}

interface CreatedColumn {
  readonly name: string;
  readonly type: string;
  /** The sequence of its values. Null if it has none. */
  readonly sequence: string | null;
}

/** A table of the source and the one that it is copied to, with its columns in the order of the source's. */
interface Pair {
  readonly from: OwnTable;
  readonly to: CreatedTable;
}

/** Types whose values PostgreSQL shows as the text that they were made of. */
const exactTypes = /^(text|character varying|bigint|integer|smallint|bytea)/;

/**
 * Copies the tables of a consumer's handlers, which its `setup` has created in the schema. Replaces rows that `setup` has added. Triggers
 * do not run.
 *
 * @throws {Error} if a table or column is missing, a value does not fit its type, or what was copied differs.
 */
export async function copyOwnTables(queries: TransactionQueries, schema: string, source: ConsumerMoveSource): Promise<void> {
  const created = await createdIn(queries, schema);
  const pairs = inOrder(source.own.filter(({ rows }) => rows > 0).map((from) => pairOf(source, from, created)));
  await queries.query("SELECT set_config('bytea_output', 'hex', true)");
  for (const { to } of pairs) await queries.script(`ALTER TABLE ${quoted(to.name)} DISABLE TRIGGER USER`);
  for (const { to } of pairs.toReversed()) await queries.script(`DELETE FROM ${quoted(to.name)}`);
  for (const pair of pairs) {
    try {
      await copy(queries, source, pair);
    } catch (error) {
      if (!isDataError(error)) throw error;
      throw new Error(`The table "${pair.from.name}" of "${source.queue}" cannot be moved: ${(error as Error).message}`, { cause: error });
    }
  }
  for (const { to } of pairs) await queries.script(`ALTER TABLE ${quoted(to.name)} ENABLE TRIGGER USER`);
}

async function copy({ query }: TransactionQueries, source: ConsumerMoveSource, { from, to }: Pair): Promise<void> {
  const { columns } = to;
  const names = columns.map(({ name }) => quoted(name)).join(", ");
  const values = columns.map(({ type }, index) => `part.c${index}::${type}`).join(", ");
  const parameters = columns.map((_, index) => `$${index + 1}::text[]`).join(", ");
  const part = `part(${columns.map((_, index) => `c${index}`).join(", ")})`;
  const insert = `INSERT INTO ${quoted(to.name)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM unnest(${parameters}) AS ${part}`;
  let [count, sum] = [0, 0n];
  for (const rows of source.ownParts(from)) {
    if (rows.some((row) => row.some((value) => value?.includes("\0"))))
      throw new Error(`The table "${from.name}" of "${source.queue}" cannot be moved: PostgreSQL keeps no text with the character U+0000.`);
    await query(insert, ...columns.map((_, index) => rows.map((row) => row[index] ?? null)));
    count += rows.length;
    sum = rows.reduce((total, row) => total + sumOf(to, row), sum);
  }
  const [copied] = await query<{ rows: number; sum: string }>(sumSql(to));
  if (copied?.rows !== count || count !== from.rows || BigInt(copied.sum) !== sum)
    throw new Error(`What was copied of the table "${from.name}" of "${source.queue}" differs.`);
  for (const { name, sequence } of columns) {
    if (sequence === null) continue;
    await query(`SELECT setval($1::regclass, coalesce(max(${quoted(name)}), 0) + 1, false) FROM ${quoted(to.name)}`, sequence);
  }
}

/** Resolves with the tables of the schema that are not Warren's. */
function createdIn({ query }: TransactionQueries, schema: string): Promise<CreatedTable[]> {
  return query<CreatedTable>(
    `SELECT relname AS name,
       (SELECT coalesce(json_agg(target.relname), '[]') FROM pg_constraint JOIN pg_class AS target ON target.oid = confrelid
        WHERE conrelid = pg_class.oid AND contype = 'f') AS "refersTo",
       (SELECT json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod),
          'sequence', pg_get_serial_sequence(quote_ident(nspname) || '.' || quote_ident(relname), attname)) ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
     FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname = $1 AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE 'warren\\_%' ORDER BY relname`,
    schema,
  );
}

/** Finds the table of a table of the source, and the columns of its columns: by name, in which PostgreSQL makes small letters of capitals. */
function pairOf({ queue }: ConsumerMoveSource, from: OwnTable, created: readonly CreatedTable[]): Pair {
  const to = named(created, from.name);
  if (!to) throw new Error(`The \`setup\` of "${queue}" has not created its table "${from.name}" in PostgreSQL.`);
  const columns = from.columns.map((name) => {
    const column = named(to.columns, name);
    if (column) return column;
    throw new Error(`The table "${to.name}" that the \`setup\` of "${queue}" has created in PostgreSQL has no column "${name}".`);
  });
  return { from, to: { ...to, columns } };
}

function named<Named extends { readonly name: string }>(all: readonly Named[], name: string): Named | undefined {
  return all.find((each) => each.name === name) ?? all.find((each) => each.name.toLowerCase() === name.toLowerCase());
}

/** Returns tables after those to which they refer. */
function inOrder(pairs: readonly Pair[]): Pair[] {
  const ordered: Pair[] = [];
  for (let left = [...pairs]; left.length > 0; ) {
    const waits = ({ to }: Pair) => to.refersTo.some((name) => name !== to.name && left.some((other) => other.to.name === name));
    const next = left.filter((pair) => !waits(pair));
    // Tables that refer to each other are tried as they come.
    ordered.push(...(next.length > 0 ? next : left));
    left = next.length > 0 ? left.filter((pair) => !next.includes(pair)) : [];
  }
  return ordered;
}

/** Returns SQL for the number of rows, and a sum of checksums that does not depend on their order. */
function sumSql({ name, columns }: CreatedTable): string {
  const texts = columns.filter(isExact).map((column) => `coalesce(${quoted(column.name)}::text, chr(30)), chr(31)`);
  const text = texts.length === 0 ? "''" : `concat(${texts.join(", ")})`;
  const hash = `('x' || left(encode(sha256(convert_to(${text}, 'UTF8')), 'hex'), 12))::bit(48)::bigint`;
  return `SELECT count(*)::int AS rows, coalesce(sum(${hash}), 0)::text AS sum FROM ${quoted(name)}`;
}

function sumOf({ columns }: CreatedTable, row: OwnRow): bigint {
  const text = columns.flatMap((column, index) => (isExact(column) ? `${row[index] ?? "\u001e"}\u001f` : [])).join("");
  return BigInt(`0x${new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 12)}`);
}

function isExact({ type }: CreatedColumn): boolean {
  return exactTypes.test(type);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
