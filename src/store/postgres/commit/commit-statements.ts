// The SQL of the commit function: what it checks, then what it writes. The parameters are those of commit-parameters.ts.
import { tombstone } from "../../../schema/erasure";
import { blockSize, idSequence } from "../changes/id-blocks";
import type { Layout } from "../changes/layout";
import { separator, shapes } from "./commit-parameters";
import { timerChecks, timerWrites } from "./timer-statements";

/** Keys of advisory locks. */
export interface Locks {
  /** Held by each commit, so that commits follow each other. */
  readonly commit: string;
  /** Held while the sequences of ids are set. Draws from them hold it together. */
  readonly ids: string;
}

export const checks = [
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

export function checksOf({ number, shape, resource: { name, plural } }: Layout): string {
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

export function writesOf({ number, shape, resource: { name, plural } }: Layout, locks: Locks): string {
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

export const writes = [
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
    INSERT INTO idempotency_keys (key, part, fingerprint, answer, at, lives_ms)
    SELECT * FROM unnest(a_key, a_part, a_fingerprint, a_answer, a_at, a_lives);
  END IF;
  IF expire IS NOT NULL THEN
    DELETE FROM idempotency_keys w WHERE w.number IN
      (SELECT o.number FROM idempotency_keys o WHERE o.at + o.lives_ms < expire ORDER BY o.at + o.lives_ms LIMIT 2 * cardinality(a_key));
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
