import type { NetEffect, NetRecord } from "../changes/effects";
import type { Facts, RecordRow } from "../changes/facts";
import type { Layout } from "../changes/layout";
import { timersArgument } from "../changes/timer-effects";
import { plainText } from "../connection/plain-text";
import type { EntryChanges } from "../slots/slots";
import type { CommitResult } from "./commit-function";
import { type CommitArguments, inOrder, jsonTexts, shapes } from "./commit-parameters";

/** A group of changes to commit. */
export interface Commit {
  /** Identifies the group, in case its outcome gets lost. A UUID. */
  readonly id: string;
  readonly effect: NetEffect;
  /** The entries that follow from the records that it changes. */
  readonly entries: EntryChanges;
  /** Version of the slots that `entries` are made for. */
  readonly slots: number;
  /** The reads. Undefined if the order lock was held meanwhile. */
  readonly reads: Reads | undefined;
}

/** The reads of a group. */
export type Reads = { readonly [Kind in ReadKind]: Facts[Kind]["used"] };
type ReadKind = "records" | "presence" | "holders" | "referrers" | "answers" | "newestEvents" | "timers";

/** Returns what the run of a group has read, in the order in which the commit function counts it. */
export function readsOf({ records, presence, holders, referrers, answers, newestEvents, timers }: Facts): Reads {
  return {
    ...{ records: records.used, presence: presence.used, holders: holders.used },
    ...{ referrers: referrers.used, answers: answers.used, newestEvents: newestEvents.used, timers: timers.used },
  };
}

/**
 * Returns the arguments of the commit function for a group.
 *
 * @param joined true for a group that another transaction commits. Default: false.
 */
export function argumentsOf({ id, effect, entries, slots, reads }: Commit, joined = false): ReturnType<typeof inOrder> {
  const inserts = effect.records.filter(({ after, origin }) => after && origin !== "present");
  const updates = effect.records.filter(({ after, origin }) => after && origin === "present");
  const deletes = effect.records.filter(({ after }) => !after);
  const values: CommitArguments = {
    ...{ commit_group: id, joined, slots: effect.records.length > 0 ? slots : null },
    ...checksOf(reads),
    ...idsOf(effect.created),
    ...{
      i_t: list(inserts, numberOf),
      i_id: list(inserts, idOf),
      i_version: list(inserts, versionOf),
      i_json: jsonTexts(inserts.map(jsonOf)),
    },
    ...{
      u_t: list(updates, numberOf),
      u_id: list(updates, idOf),
      u_version: list(updates, versionOf),
      u_json: jsonTexts(updates.map(jsonOf)),
    },
    ...{ d_t: list(deletes, numberOf), d_id: list(deletes, idOf) },
    ...{ o_t: list(effect.upToDate, ({ layout }) => layout.number), o_id: list(effect.upToDate, (record) => record.id) },
    ...entryArguments(entries),
    ...answerArguments(effect),
    ...eventArguments(effect),
    w_timers: timersArgument(effect.timers, reads?.timers.map(({ key }) => key) ?? []),
    b_subject: list(effect.buried, ({ subject }) => subject),
    b_types: list(effect.buried, ({ types }) => types.join()),
    r_number: list(effect.rewritten, ({ number }) => number),
    r_answer: list(effect.rewritten, ({ answer }) => answer),
  };
  return inOrder(values);
}

const numberOf = ({ layout }: NetRecord) => layout.number;
const idOf = ({ id }: NetRecord) => id;
const versionOf = ({ after }: NetRecord) => after?.version ?? 0;
const jsonOf = ({ after }: NetRecord) => after?.json ?? "";

function checksOf(reads: Reads | undefined) {
  const { records = [], presence = [], holders = [], referrers = [], answers = [], newestEvents = [] } = reads ?? {};
  const read = [
    ...records.map(({ key, found }) => ({ ...key, version: found ? stateNumber(found, key.layout) : 0 })),
    ...presence.map(({ key, found }) => ({ ...key, version: found ? -1 : 0 })),
  ];
  return {
    ...{
      c_t: list(read, ({ layout }) => layout.number),
      c_id: list(read, (each) => each.id),
      c_version: list(read, (each) => each.version),
    },
    h_slot: list(holders, ({ key }) => key.slot),
    h_value: list(holders, ({ key }) => key.value),
    h_id: list(holders, ({ found }) => found),
    f_slot: list(referrers, ({ key }) => key.slot),
    f_key: list(referrers, ({ key }) => key.key),
    f_limit: list(referrers, ({ found }) => found.limit),
    f_ids: list(referrers, ({ found }) => found.ids.join()),
    k_key: list(answers, ({ key }) => key.key),
    k_part: list(answers, ({ key }) => key.part),
    k_at: list(answers, ({ found }) => found?.at ?? 0),
    l_subject: list(newestEvents, ({ key }) => key.subject),
    l_types: list(newestEvents, ({ key }) => key.types.join()),
    l_id: list(newestEvents, ({ found }) => found?.id ?? ""),
  };
}

/** Returns a number for the state of a record, as the commit function compares it. A conversion to another shape keeps the version. */
function stateNumber({ version, shape }: RecordRow, layout: Layout): number {
  return shape === layout.shape ? version : -(version * shapes + shape);
}

/** Returns the lowest id that this process has drawn for a new record of each resource, and the greatest one that was imported. */
function idsOf(created: readonly NetRecord[]) {
  const [drawn, chosen] = [new Map<number, number>(), new Map<number, number>()];
  for (const { layout, id, origin, after } of created) {
    if (origin === "drawn") drawn.set(layout.number, Math.min(id, drawn.get(layout.number) ?? id));
    // A restored record has an id that was drawn before.
    else if ((after?.version ?? 1) === 1) chosen.set(layout.number, Math.max(id, chosen.get(layout.number) ?? id));
  }
  return {
    ...{ n_t: list([...drawn.keys()], same), n_id: list([...drawn.values()], same) },
    ...{ m_t: list([...chosen.keys()], same), m_id: list([...chosen.values()], same) },
  };
}

const same = <T>(value: T): T => value;

function entryArguments({ removed, added, removedValues, addedValues }: EntryChanges) {
  const slotsIn = (all: readonly { readonly slot: number }[]) => list(all, ({ slot }) => slot);
  const idsIn = (all: readonly { readonly id: number }[]) => list(all, ({ id }) => id);
  return {
    ...{ x_slot: slotsIn(removedValues), x_key: list(removedValues, ({ value }) => value), x_id: idsIn(removedValues) },
    ...{ xa_slot: slotsIn(addedValues), xa_key: list(addedValues, ({ value }) => value), xa_id: idsIn(addedValues) },
    ...{ y_slot: slotsIn(removed), y_key: list(removed, ({ key }) => key), y_id: idsIn(removed) },
    ...{ ya_slot: slotsIn(added), ya_key: list(added, ({ key }) => key), ya_id: idsIn(added), ya_count: list(added, ({ count }) => count) },
  };
}

function answerArguments({ answers, forgotten, expiredAt }: NetEffect) {
  return {
    forget: list(forgotten, same),
    a_key: list(answers, ({ key }) => key),
    a_part: list(answers, ({ part }) => part),
    a_fingerprint: list(answers, ({ fingerprint }) => fingerprint),
    a_answer: list(answers, ({ answer }) => answer),
    a_at: list(answers, ({ at }) => at),
    a_lives: list(answers, ({ livesMs }) => livesMs),
    expire: answers.length > 0 ? expiredAt : null,
  };
}

function eventArguments({ events }: NetEffect) {
  return {
    e_id: list(events, ({ id }) => id),
    e_type: list(events, ({ type }) => type),
    e_subject: list(events, ({ subject }) => subject),
    e_time: list(events, ({ timestamp }) => timestamp),
    e_body: jsonTexts(events.map(({ body }) => body)),
    e_trace: optional(events, ({ traceparent }) => traceparent),
    e_request: optional(events, ({ requestId }) => requestId),
    e_requested: optional(events, ({ requestedAt }) => requestedAt),
    e_owner: optional(events, ({ owner }) => owner && plainText(owner)),
    e_scope: optional(events, ({ scope }) => scope && plainText(scope)),
    e_cause: optional(events, ({ cause }) => cause && plainText(cause)),
  };
}

/** Returns values as an argument, or null if there are none. */
function list<T, V extends string | number | null>(all: readonly T[], get: (one: T) => V): V[] | null {
  return all.length === 0 ? null : all.map(get);
}

/** Like {@link list}, but null also if all are null. */
function optional<T, V extends string | number | null>(all: readonly T[], get: (one: T) => V): V[] | null {
  return all.every((one) => get(one) === null) ? null : all.map(get);
}

/** Forgets what no longer holds, so that it is read again. */
export function forgetStale(facts: Facts, reads: Reads, result: CommitResult): void {
  const { records, presence, holders, referrers, answers, newestEvents, timers } = reads;
  for (const place of result.records ?? []) {
    const record = records[place - 1];
    const present = presence[place - 1 - records.length];
    if (record) facts.records.forget(record);
    if (present) facts.presence.learn(present.name, !present.found);
  }
  for (const place of result.holders ?? []) facts.holders.forget(at(holders, place));
  for (const place of result.referrers ?? []) facts.referrers.forget(at(referrers, place));
  for (const place of result.answers ?? []) facts.answers.forget(at(answers, place));
  for (const place of result.events ?? []) facts.newestEvents.forget(at(newestEvents, place));
  for (const place of result.timers ?? []) facts.timers.learn(at(timers, place).name, false);
}

function at<T>(all: readonly T[], place: number): T {
  return all[place - 1] as T;
}
