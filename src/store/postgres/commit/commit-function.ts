import { tombstone } from "../../../schema/erasure";
import { blockSize, idSequence } from "../changes/id-blocks";
import type { Layout } from "../changes/layout";
import type { Database, Queries } from "../connection/queries";
import { timerChecks, timerWrites } from "./timer-statements";

/**
 * Parameters of the commit function with their types. All arrays with the same prefix belong together; a null stands for none.
 * JSON is passed as one {@link jsonTexts text} per column.
 *
 * - `slots`: version of the slots that the entries are made for; null if no records change.
 * - `c`: records that were read, with their version; 0: there was none, -1: any version. If it is stored in another shape than this program's,
 *   the negative of the version times {@link shapes}, plus the shape.
 * - `h`: values of unique keys that were read, with the record that has it; 0: none. `f`: targets, with the records that refer to them.
 * - `k`: idempotency keys that were read, with the time of the answer; 0: there was none. `l`: records whose newest event was read.
 * - `n`: the lowest new id per resource that this process has drawn. `m`: the greatest one that others have chosen.
 * - `i`, `u`, `d`: records to insert, update and delete. `o`: records that are in the newest shape.
 * - `x`: values of unique keys, `y`: entries; those to remove, then those to add.
 * - `w_timers`: timers that were read, and those to remove and to set. `a`: answers to add. `e`: events to add. `b`: records whose events are buried. `r`: answers to rewrite.
 */
const parameters = {
  commit_group: "uuid",
  slots: "int4",
  ...{ c_t: "int4[]", c_id: "int8[]", c_version: "int8[]" },
  ...{ h_slot: "int4[]", h_value: "text[]", h_id: "int8[]" },
  ...{ f_slot: "int4[]", f_key: "text[]", f_limit: "int4[]", f_ids: "text[]" },
  ...{ k_key: "text[]", k_part: "int4[]", k_at: "int8[]" },
  ...{ l_subject: "int8[]", l_types: "text[]", l_id: "text[]" },
  ...{ n_t: "int4[]", n_id: "int8[]", m_t: "int4[]", m_id: "int8[]" },
  ...{ i_t: "int4[]", i_id: "int8[]", i_version: "int4[]", i_json: "text" },
  ...{ u_t: "int4[]", u_id: "int8[]", u_version: "int4[]", u_json: "text" },
  ...{ d_t: "int4[]", d_id: "int8[]", o_t: "int4[]", o_id: "int8[]" },
  ...{ x_slot: "int4[]", x_key: "text[]", x_id: "int8[]", xa_slot: "int4[]", xa_key: "text[]", xa_id: "int8[]" },
  ...{ y_slot: "int4[]", y_key: "text[]", y_id: "int8[]", ya_slot: "int4[]", ya_key: "text[]", ya_id: "int8[]", ya_count: "int4[]" },
  ...{ forget: "text[]", a_key: "text[]", a_part: "int4[]", a_fingerprint: "text[]", a_answer: "text[]", a_at: "int8[]", expire: "int8" },
  ...{ e_id: "uuid[]", e_type: "text[]", e_subject: "int8[]", e_time: "text[]", e_body: "text", e_trace: "text[]" },
  ...{ e_request: "text[]", e_requested: "int8[]", e_owner: "text[]", e_scope: "text[]", e_cause: "text[]" },
  ...{ w_timers: "text", b_subject: "int8[]", b_types: "text[]", r_number: "int8[]", r_answer: "text[]" },
} as const;

/** Greater than the number of any shape. */
export const shapes = 2 ** 15;

/** The arguments of the commit function. */
export type CommitArguments = { readonly [Name in keyof typeof parameters]: CommitArgument };
type CommitArgument = readonly (string | number | null)[] | string | number | null;

const names = Object.keys(parameters) as (keyof typeof parameters)[];

/** Separates JSON texts. It does not occur in them, since JSON escapes control characters. */
const separator = "\u001f";

/** Returns JSON texts as one argument, or null if there are none. The server takes longer for an array, whose elements are quoted. */
export function jsonTexts(all: readonly string[]): string | null {
  return all.length === 0 ? null : all.join(separator);
}

/** The result of the commit function: the places in the arrays of what no longer holds, counted from 1. If all are null, all is committed. */
export interface CommitResult {
  readonly records: readonly number[] | null;
  readonly holders: readonly number[] | null;
  readonly referrers: readonly number[] | null;
  readonly answers: readonly number[] | null;
  readonly events: readonly number[] | null;
  readonly timers: readonly number[] | null;
  /** Numbers of the resources whose new ids may have been chosen by others. */
  readonly ids: readonly number[] | null;
  /** True if there are other slots. */
  readonly redeclared: boolean | null;
  /** True if the group was given up before. */
  readonly fenced: boolean | null;
}

/** Returns the arguments in the order of the function's parameters. */
export function inOrder(values: CommitArguments): CommitArgument[] {
  return names.map((name) => values[name]);
}

/** Keys of advisory locks. */
export interface Locks {
  /** Held by each commit, so that commits follow each other. */
  readonly commit: string;
  /** Held while the sequences of ids are set. Draws from them hold it together. */
  readonly ids: string;
}

/** The function that commits groups of changes of one program. */
export interface CommitFunction {
  readonly name: string;
  /** SQL that creates it. */
  readonly creation: string;
  /** SQL that calls it with {@link inOrder}. */
  readonly call: string;
}

/**
 * Returns the function that commits groups of changes: it takes the order lock, checks all that the changes have read, and then writes.
 * Under the lock nothing else is committed, so that the checks hold until the end, and positions are in the order of commits. It is
 * named after its text, so that programs with other resources run beside this one.
 *
 * @param locks keys of advisory locks.
 */
export function commitFunction(layouts: readonly Layout[], locks: Locks): CommitFunction {
  const body = `
DECLARE part int4[];
BEGIN
  PERFORM pg_advisory_xact_lock(${locks.commit});
  IF EXISTS (SELECT FROM warren_fences f WHERE f.group_id = commit_group) THEN fenced := true; RETURN; END IF;
  IF slots <> (SELECT w.version FROM warren_slots_version w) THEN redeclared := true; RETURN; END IF;
${[...checks, ...layouts.map(checksOf)].join("\n")}
  IF num_nonnulls(records, holders, referrers, answers, events, timers, ids) > 0 THEN RETURN; END IF;
${[...layouts.map((layout) => writesOf(layout, locks)), ...writes].join("\n")}
END`;
  const declared = names.map((parameter) => `${parameter} ${parameters[parameter]}`);
  // Each statement has one good plan. The planner would take another one for a table that was small when it last looked.
  const rest = `(${[...declared, ...results].join(", ")}) LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan
AS $commit$${body}$commit$`;
  const name = `warren_commit_${new Bun.CryptoHasher("sha256").update(rest).digest("hex").slice(0, 16)}`;
  return {
    name,
    creation: `CREATE OR REPLACE FUNCTION ${name}${rest}`,
    call: `SELECT * FROM ${name}(${names.map((parameter, index) => `$${index + 1}::${parameters[parameter]}`).join(", ")})`,
  };
}

const results = [
  ...["records", "holders", "referrers", "answers", "events", "timers", "ids"].map((name) => `OUT ${name} int4[]`),
  ...["redeclared", "fenced"].map((name) => `OUT ${name} bool`),
];

const checks = [
  `  IF h_slot IS NOT NULL THEN
    SELECT array_agg(q.n::int4) INTO holders FROM unnest(h_slot, h_value, h_id) WITH ORDINALITY q(slot, value, id, n)
    WHERE q.id <> coalesce((SELECT w.id FROM warren_unique_values w WHERE w.slot = q.slot AND w.value = q.value), 0);
  END IF;`,
  `  IF f_slot IS NOT NULL THEN
    SELECT array_agg(q.n::int4) INTO referrers FROM unnest(f_slot, f_key, f_limit, f_ids) WITH ORDINALITY q(slot, key, most, ids, n)
    WHERE q.ids <> coalesce((SELECT string_agg(s.id::text, ',' ORDER BY s.id) FROM
      (SELECT w.id FROM warren_entries w WHERE w.slot = q.slot AND w.key = q.key ORDER BY w.id LIMIT q.most) s), '');
  END IF;`,
  `  IF k_key IS NOT NULL THEN
    SELECT array_agg(q.n::int4) INTO answers FROM unnest(k_key, k_part, k_at) WITH ORDINALITY q(key, part, at, n)
    WHERE q.at <> coalesce((SELECT w.at FROM idempotency_keys w WHERE w.key = q.key AND w.part = q.part), 0);
  END IF;`,
  `  IF l_subject IS NOT NULL THEN
    SELECT array_agg(q.n::int4) INTO events FROM unnest(l_subject, l_types, l_id) WITH ORDINALITY q(subject, types, id, n)
    WHERE q.id <> coalesce((SELECT w.id::text FROM events w WHERE w.subject = q.subject AND w.type = ANY (string_to_array(q.types, ','))
      AND w.position > (SELECT m.pruned_to FROM meta m) ORDER BY w.position DESC LIMIT 1), '');
  END IF;`,
  timerChecks,
];

/** SQL of the array of the JSON texts in a parameter. */
function textsIn(parameter: "i_json" | "u_json" | "e_body"): string {
  return `string_to_array(${parameter}, chr(${separator.charCodeAt(0)}))`;
}

function checksOf({ number, shape, resource: { name, plural } }: Layout): string {
  return `  IF ${number} = ANY (c_t) THEN
    SELECT array_agg(q.n::int4) INTO part FROM unnest(c_t, c_id, c_version) WITH ORDINALITY q(t, id, version, n)
    WHERE q.t = ${number} AND (SELECT CASE WHEN q.version = -1 THEN -1 WHEN w.shape = ${shape} THEN w.version ELSE -(w.version * ${shapes}::int8 + w.shape) END
      FROM "${plural}" w WHERE w.id = q.id) IS DISTINCT FROM nullif(q.version, 0);
    records := records || part;
  END IF;
  IF ${number} = ANY (n_t) AND n_id[array_position(n_t, ${number})] <= (SELECT w.floor FROM warren_resources w WHERE w.name = '${name}') THEN
    ids := ids || ${number};
  END IF;`;
}

function writesOf({ number, shape, resource: { name, plural } }: Layout, locks: Locks): string {
  const table = `"${plural}"`;
  const sequence = idSequence(plural);
  return `  IF ${number} = ANY (i_t) THEN
    INSERT INTO ${table} (id, version, shape, json) SELECT q.id, q.version, ${shape}, q.json
    FROM unnest(i_t, i_id, i_version, ${textsIn("i_json")}) q(t, id, version, json) WHERE q.t = ${number};
  END IF;
  IF ${number} = ANY (u_t) THEN
    UPDATE ${table} w SET version = q.version, shape = ${shape}, json = q.json
    FROM unnest(u_t, u_id, u_version, ${textsIn("u_json")}) q(t, id, version, json) WHERE q.t = ${number} AND w.id = q.id;
  END IF;
  IF ${number} = ANY (d_t) THEN
    DELETE FROM ${table} w USING unnest(d_t, d_id) q(t, id) WHERE q.t = ${number} AND w.id = q.id;
  END IF;
  IF (${number} = ANY (i_t) OR ${number} = ANY (u_t)) AND ${shape} < (SELECT w.shape FROM warren_resources w WHERE w.name = '${name}') THEN
    INSERT INTO warren_outdated (resource, id) SELECT '${name}', q.id FROM unnest(i_t || u_t, i_id || u_id) q(t, id) WHERE q.t = ${number}
    ON CONFLICT DO NOTHING;
  END IF;
  IF ${number} = ANY (o_t) THEN
    DELETE FROM warren_outdated w USING unnest(o_t, o_id) q(t, id) WHERE q.t = ${number} AND w.resource = '${name}' AND w.id = q.id;
  END IF;
  IF ${number} = ANY (m_t) THEN
    UPDATE warren_resources w SET floor = greatest(w.floor, m_id[array_position(m_t, ${number})]) WHERE w.name = '${name}';
    PERFORM pg_advisory_xact_lock(${locks.ids});
    PERFORM setval('"${sequence}"', m_id[array_position(m_t, ${number})] + 1, false) FROM "${sequence}" s
    WHERE CASE WHEN s.is_called THEN s.last_value + ${blockSize} ELSE s.last_value END <= m_id[array_position(m_t, ${number})];
  END IF;`;
}

const writes = [
  // A duplicate is a mistake of this program. It must fail and not take the value from another record.
  `  IF x_slot IS NOT NULL THEN
    DELETE FROM warren_unique_values w USING unnest(x_slot, x_key, x_id) q(slot, value, id)
    WHERE w.slot = q.slot AND w.value = q.value AND w.id = q.id;
  END IF;
  IF xa_slot IS NOT NULL THEN
    INSERT INTO warren_unique_values (slot, value, id) SELECT * FROM unnest(xa_slot, xa_key, xa_id);
  END IF;
  IF y_slot IS NOT NULL THEN
    DELETE FROM warren_entries w USING unnest(y_slot, y_key, y_id) q(slot, key, id) WHERE w.slot = q.slot AND w.key = q.key AND w.id = q.id;
  END IF;
  IF ya_slot IS NOT NULL THEN
    INSERT INTO warren_entries (slot, key, id, count) SELECT * FROM unnest(ya_slot, ya_key, ya_id, ya_count) ON CONFLICT DO NOTHING;
  END IF;`,
  `  IF forget IS NOT NULL THEN
    DELETE FROM idempotency_keys w WHERE w.key = ANY (forget);
  END IF;
  IF a_key IS NOT NULL THEN
    INSERT INTO idempotency_keys (key, part, fingerprint, answer, at) SELECT * FROM unnest(a_key, a_part, a_fingerprint, a_answer, a_at);
  END IF;
  IF expire IS NOT NULL THEN
    DELETE FROM idempotency_keys w WHERE w.number IN
      (SELECT o.number FROM idempotency_keys o WHERE o.at < expire ORDER BY o.at LIMIT 2 * cardinality(a_key));
  END IF;
  IF e_id IS NOT NULL THEN
    INSERT INTO events (position, id, type, subject, timestamp, body, traceparent, request_id, requested_at, owner, scope, cause)
    SELECT nextval('warren_events_position'), q.* FROM
      unnest(e_id, e_type, e_subject, e_time, ${textsIn("e_body")}, e_trace, e_request, e_requested, e_owner, e_scope, e_cause) q;
  END IF;
${timerWrites}
  IF b_subject IS NOT NULL THEN
    UPDATE events w SET type = '${tombstone}', body = '{"id":"' || w.id || '","type":"${tombstone}","timestamp":"' || w.timestamp || '"}',
      traceparent = NULL, request_id = NULL, requested_at = NULL, owner = NULL, scope = NULL
    FROM unnest(b_subject, b_types) q(subject, types) WHERE w.subject = q.subject AND w.type = ANY (string_to_array(q.types, ','));
  END IF;
  IF r_number IS NOT NULL THEN
    UPDATE idempotency_keys w SET answer = q.answer FROM unnest(r_number, r_answer) q(number, answer) WHERE w.number = q.number;
  END IF;`,
];

/**
 * Creates the commit function of a program, unless it is there. Of several processes, one does it, and the others wait for it.
 *
 * @param lock key of the advisory lock that is held meanwhile.
 */
export async function keepCommitFunction(database: Database, { name, creation }: CommitFunction, lock: string): Promise<void> {
  const isThere = async ({ query }: Queries) =>
    (await query("SELECT 1 FROM pg_proc WHERE proname = $1 AND pronamespace = current_schema()::regnamespace", name)).length > 0;
  if (await isThere(database)) return;
  await database.transaction(async (queries) => {
    await queries.query("SELECT pg_advisory_xact_lock($1::bigint)", lock);
    if (!(await isThere(queries))) await queries.script(creation);
  });
}
