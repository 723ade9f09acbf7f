import type { CommitClock } from "../../changes/commit-clock";
import type { FirstAnswer } from "../../changes/idempotency-keys";
import { type AnswerRow, type Facts, type NewestEvent, type RecordKey, recordRow } from "../changes/facts";
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
    newestEvents.missing.length > 0 && fetchNewestEvents(queries, facts, newestEvents.missing),
    events.missing.length > 0 && fetchEvents(queries, facts, events.missing),
    mentions.missing.length > 0 && fetchMentions(queries, facts, mentions.missing),
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
  records.learn(name, isThere ? recordRow(layout.resource, row) : null);
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

async function fetchNewestEvents({ query }: Queries, { newestEvents }: Facts, missing: Missing<Facts["newestEvents"]>): Promise<void> {
  // The comparisons of rows can only be made with the index of subjects. One by position could read the log of all records.
  const rows = await query<NewestEvent | { readonly id: null }>(
    `SELECT e.* FROM unnest($1::int8[], $2::text[]) WITH ORDINALITY q(subject, types, n) LEFT JOIN LATERAL
       (SELECT w.id::text AS id, w.type, w.body FROM events w
        WHERE (w.subject, w.position) > (q.subject, (SELECT pruned_to FROM meta)) AND (w.subject, w.position) <= (q.subject, ${Number.MAX_SAFE_INTEGER})
          AND w.type = ANY (string_to_array(q.types, ',')) ORDER BY w.subject DESC, w.position DESC LIMIT 1) e ON true ORDER BY q.n`,
    ...eventsKeys(missing),
  );
  for (const [index, [name]] of missing.entries()) {
    const newest = rows[index];
    newestEvents.learn(name, newest === undefined || newest.id === null ? null : newest);
  }
}

async function fetchEvents({ query }: Queries, { events }: Facts, missing: Missing<Facts["events"]>): Promise<void> {
  const rows = await query<{ ids: string[] }>(
    `SELECT ARRAY (SELECT w.id::text FROM events w WHERE w.subject = q.subject AND w.type = ANY (string_to_array(q.types, ','))
       ORDER BY w.position) AS ids FROM unnest($1::int8[], $2::text[]) WITH ORDINALITY q(subject, types, n) ORDER BY q.n`,
    ...eventsKeys(missing),
  );
  for (const [index, [name]] of missing.entries()) events.learn(name, rows[index]?.ids ?? []);
}

function eventsKeys(missing: Missing<Facts["events"]>): [subjects: number[], types: string[]] {
  return [missing.map(([, { subject }]) => subject), missing.map(([, { types }]) => types.join())];
}

async function fetchMentions({ query }: Queries, { mentions }: Facts, missing: Missing<Facts["mentions"]>): Promise<void> {
  const rows = await query<AnswerRow & { readonly text: string }>(
    `SELECT q.text, k.number, k.answer FROM unnest($1::text[]) q(text) JOIN idempotency_keys k ON position(q.text IN k.answer) > 0 ORDER BY k.number`,
    missing.map(([, text]) => text),
  );
  const found = Map.groupBy(rows, ({ text }) => text);
  for (const [name, text] of missing) mentions.learn(name, found.get(text) ?? []);
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
