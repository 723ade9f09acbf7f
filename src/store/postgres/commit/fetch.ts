import type { CommitClock } from "../../changes/commit-clock";
import type { FirstAnswer } from "../../changes/idempotency-keys";
import type { LogEntry } from "../../log";
import type { Facts, RecordKey } from "../changes/facts";
import type { Layout } from "../changes/layout";
import type { ReadSet } from "../changes/read-set";
import type { Queries } from "../connection/queries";
import type { Lists } from "../lists/lists";
import { recordColumns, type StoredRow, upToDate } from "../records/stored-row";

export interface FetchMeans {
  readonly lists: Lists;
  /** Told the times of the records that are read. */
  readonly clock: CommitClock;
}

type Missing<Set> = Set extends ReadSet<infer Key, infer _> ? readonly (readonly [name: string, key: Key])[] : never;

/** Reads what is missing, with one query for each kind. */
export async function fetchMissing(queries: Queries, facts: Facts, { lists: reader, clock }: FetchMeans): Promise<void> {
  const { records, presence, holders, referrers, answers, newestEvents, events, mentions, lists, timers } = facts;
  await Promise.all([
    ...byLayout([...records.missing, ...presence.missing]).map(([layout, ids]) => fetchRecords(queries, facts, layout, ids, clock)),
    holders.missing.length > 0 && fetchHolders(queries, facts, holders.missing),
    referrers.missing.length > 0 && fetchReferrers(queries, facts, referrers.missing, clock),
    answers.missing.length > 0 && fetchAnswers(queries, facts, answers.missing),
    timers.missing.length > 0 && fetchTimers(queries, facts, timers.missing),
    ...newestEvents.missing.map(async ([name, { subject, types }]) => {
      const [newest] = await queries.query<Pick<LogEntry, "id" | "type" | "body">>(
        `SELECT id, type, body FROM events WHERE subject = $1 AND type = ANY ($2) AND position > (SELECT pruned_to FROM meta)
         ORDER BY position DESC LIMIT 1`,
        subject,
        types,
      );
      newestEvents.learn(name, newest ?? null);
    }),
    ...events.missing.map(async ([name, { subject, types }]) => {
      const found = await queries.query<{ id: string }>(
        "SELECT id FROM events WHERE subject = $1 AND type = ANY ($2) ORDER BY position",
        subject,
        types,
      );
      events.learn(
        name,
        found.map(({ id }) => id),
      );
    }),
    ...mentions.missing.map(async ([name, text]) => {
      const found = "SELECT number, answer FROM idempotency_keys WHERE position($1 IN answer) > 0 ORDER BY number";
      mentions.learn(name, await queries.query(found, text));
    }),
    ...lists.missing.map(async ([name, list]) => {
      const rows = await reader.matching(queries, list.layout.resource, list.where, list.limit);
      for (const row of rows ?? []) learnRecord(facts, list.layout, row, clock);
      lists.learn(name, rows ? rows.map((row) => upToDate(list.layout.resource, row)) : null);
    }),
  ]);
}

async function fetchRecords({ query }: Queries, facts: Facts, layout: Layout, ids: readonly number[], clock: CommitClock): Promise<void> {
  const rows = await query<StoredRow>(`SELECT ${recordColumns} FROM "${layout.resource.plural}" WHERE id = ANY ($1)`, ids);
  const found = new Map(rows.map((row) => [row.id, row]));
  for (const id of ids) learnRecord(facts, layout, found.get(id) ?? { id }, clock);
}

function learnRecord({ records, presence }: Facts, layout: Layout, row: StoredRow | { readonly id: number }, clock: CommitClock): void {
  const name = `${layout.resource.plural}/${row.id}`;
  const isThere = "json" in row;
  presence.learn(name, isThere);
  // The JSON of a record ends with the time of its last change.
  if (isThere) clock.observe(row.json.slice(-26, -2));
  records.learn(name, isThere ? { stored: upToDate(layout.resource, row), shape: row.shape } : null);
}

async function fetchHolders({ query }: Queries, { holders }: Facts, missing: Missing<Facts["holders"]>): Promise<void> {
  const rows = await query<{ n: number; id: number | null }>(
    `SELECT q.n, w.id FROM unnest($1::int4[], $2::text[]) WITH ORDINALITY q(slot, value, n)
     LEFT JOIN warren_unique_values w ON w.slot = q.slot AND w.value = q.value ORDER BY q.n`,
    missing.map(([, { slot }]) => slot),
    missing.map(([, { value }]) => value),
  );
  for (const [index, [name]] of missing.entries()) holders.learn(name, rows[index]?.id ?? 0);
}

async function fetchReferrers(queries: Queries, facts: Facts, missing: Missing<Facts["referrers"]>, clock: CommitClock): Promise<void> {
  const rows = await queries.query<{ ids: number[] }>(
    `SELECT ARRAY (SELECT w.id FROM warren_entries w WHERE w.slot = q.slot AND w.key = q.key ORDER BY w.id LIMIT q.most) AS ids
     FROM unnest($1::int4[], $2::text[], $3::int4[]) WITH ORDINALITY q(slot, key, most, n) ORDER BY q.n`,
    missing.map(([, { slot }]) => slot),
    missing.map(([, { key }]) => key),
    missing.map(([, { limit }]) => limit),
  );
  const referring: [string, RecordKey][] = [];
  for (const [index, [name, { layout, limit }]] of missing.entries()) {
    const ids = rows[index]?.ids ?? [];
    facts.referrers.learn(name, { ids, limit });
    // Their states decide whether they still refer to it.
    for (const id of ids) if (facts.records.peek(`${layout.resource.plural}/${id}`) === undefined) referring.push(["", { layout, id }]);
  }
  await Promise.all(byLayout(referring).map(([layout, ids]) => fetchRecords(queries, facts, layout, ids, clock)));
}

async function fetchAnswers({ query }: Queries, { answers }: Facts, missing: Missing<Facts["answers"]>): Promise<void> {
  const rows = await query<FirstAnswer & { readonly key: string; readonly part: number }>(
    `SELECT key, part, fingerprint, answer, at, lives_ms AS "livesMs" FROM idempotency_keys
     WHERE (key, part) IN (SELECT * FROM unnest($1::text[], $2::int4[]))`,
    missing.map(([, { key }]) => key),
    missing.map(([, { part }]) => part),
  );
  for (const [name] of missing) answers.learn(name, null);
  for (const { key, part, ...first } of rows) answers.learn(`${part} ${key}`, first);
}

async function fetchTimers({ query }: Queries, { timers }: Facts, missing: Missing<Facts["timers"]>): Promise<void> {
  const asked = missing.map(([, number]) => number);
  const rows = await query<{ number: number }>("SELECT number FROM warren_timers WHERE number = ANY ($1)", asked);
  const found = new Set(rows.map(({ number }) => number));
  for (const [name, number] of missing) timers.learn(name, found.has(number));
}

function byLayout(keys: readonly (readonly [name: string, key: RecordKey])[]): [Layout, number[]][] {
  const ids = new Map<Layout, Set<number>>();
  for (const [, { layout, id }] of keys) {
    const known = ids.get(layout) ?? new Set();
    known.add(id);
    ids.set(layout, known);
  }
  return [...ids].map(([layout, set]) => [layout, [...set]]);
}
