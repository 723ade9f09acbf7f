/**
 * Parameters of the commit function with their types. All arrays with the same prefix belong together; a null stands for none.
 * JSON is passed as one {@link jsonTexts text} per column.
 *
 * - `joined`: true to fail if something does not hold, so that a COMMIT that follows without waiting commits nothing.
 * - `slots`: version of the slots that the entries are made for; null if no records change.
 * - `c`: records that were read, with their version; 0: there was none, -1: any version. If it is stored in another shape than this program's,
 *   the negative of the version times {@link shapes}, plus the shape.
 * - `h`: values of unique keys that were read, with the record that has it; 0: none. `f`: targets, with the records that refer to them.
 * - `k`: idempotency keys that were read, with the time of the answer; 0: there was none. `l`: records whose newest event was read.
 * - `n`: the lowest new id per resource that this process has drawn. `m`: the greatest one that others have chosen.
 * - `i`, `u`, `d`: records to insert, update and delete. `o`: records that are in the newest shape.
 * - `x`: values of unique keys, `y`: entries; those to remove, then those to add.
 * - `w_timers`: timers that were read, and those to remove and to set. `a`: answers to add.
 * - `e`: events to add. `b`: records whose events are buried. `r`: answers to rewrite.
 */
export const parameters = {
  commit_group: "uuid",
  joined: "bool",
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
  ...{
    forget: "text[]",
    a_key: "text[]",
    a_part: "int4[]",
    a_fingerprint: "text[]",
    a_answer: "text[]",
    a_at: "int8[]",
    a_lives: "int8[]",
    expire: "int8",
  },
  ...{ e_id: "uuid[]", e_type: "text[]", e_subject: "int8[]", e_time: "text[]", e_body: "text", e_trace: "text[]" },
  ...{ e_request: "text[]", e_requested: "int8[]", e_owner: "text[]", e_scope: "text[]", e_cause: "text[]" },
  ...{ w_timers: "text", b_subject: "int8[]", b_types: "text[]", r_number: "int8[]", r_answer: "text[]" },
} as const;

/** Greater than the number of any shape. */
export const shapes = 2 ** 15;

/** The arguments of the commit function. */
export type CommitArguments = { readonly [Name in keyof typeof parameters]: CommitArgument };
type CommitArgument = readonly (string | number | null)[] | string | number | boolean | null;

export const parameterNames = Object.keys(parameters) as (keyof typeof parameters)[];

/** Separates JSON texts. It does not occur in them, since JSON escapes control characters. */
export const separator = "\u001f";

/** Returns JSON texts as one argument, or null if there are none. The server takes longer for an array, whose elements are quoted. */
export function jsonTexts(all: readonly string[]): string | null {
  return all.length === 0 ? null : all.join(separator);
}

/** Returns the arguments in the order of the function's parameters. */
export function inOrder(values: CommitArguments): CommitArgument[] {
  return parameterNames.map((name) => values[name]);
}
