import type { Layout } from "../changes/layout";
import { parameterNames, parameters } from "./commit-parameters";
import { checks, checksOf, type Locks, writes, writesOf } from "./commit-statements";

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

/** SQLSTATE with which the function ends the transaction that it was to be the last statement of. The message is its result as JSON. */
export const notHolding = "WR001";

/** The function that commits groups of changes of one program. */
export interface CommitFunction {
  readonly name: string;
  /** SQL that creates it. */
  readonly creation: string;
  /** SQL that calls it with `inOrder`. */
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
  IF EXISTS (SELECT FROM warren_fences f WHERE f.group_id = commit_group) THEN fenced := true; END IF;
  IF slots <> (SELECT w.version FROM warren_slots_version w) THEN redeclared := true; END IF;
  IF num_nonnulls(fenced, redeclared) = 0 THEN
${[...checks, ...layouts.map(checksOf)].join("\n")}
  END IF;
  IF num_nonnulls(${resultNames}) > 0 THEN
    IF joined THEN
      RAISE EXCEPTION USING ERRCODE = '${notHolding}', MESSAGE = json_build_object(${resultNames.map((name) => `'${name}', ${name}`)});
    END IF;
    RETURN;
  END IF;
${[...layouts.map((layout) => writesOf(layout, locks)), ...writes].join("\n")}
END`;
  const declared = parameterNames.map((parameter) => `${parameter} ${parameters[parameter]}`);
  // Each statement has one good plan. The planner would take another one for a table that was small when it last looked.
  const rest = `(${[...declared, ...results].join(", ")}) LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan
AS $commit$${body}$commit$`;
  const name = `warren_commit_${new Bun.CryptoHasher("sha256").update(rest).digest("hex").slice(0, 16)}`;
  return {
    name,
    creation: `CREATE OR REPLACE FUNCTION ${name}${rest}`,
    call: `SELECT * FROM ${name}(${parameterNames.map((parameter, index) => `$${index + 1}::${parameters[parameter]}`).join(", ")})`,
  };
}

const places = ["records", "holders", "referrers", "answers", "events", "timers", "ids"];
const flags = ["redeclared", "fenced"];
const resultNames = [...places, ...flags];
const results = [...places.map((name) => `OUT ${name} int4[]`), ...flags.map((name) => `OUT ${name} bool`)];
