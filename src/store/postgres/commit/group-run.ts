import type { Batch } from "../../changes/overlay";
import { type Effect, netEffect } from "../changes/effects";
import type { Facts } from "../changes/facts";
import type { RecordTable } from "../changes/record-table";
import type { Workspace } from "../changes/workspace";
import { storedJson } from "../records/stored-row";
import { noChanges, type Slots } from "../slots/slots";
import { type Commit, readsOf } from "./commit-call";

/** The outcome of a change: what it returned, or what it threw. */
export type Outcome<T = unknown> = { readonly value: T } | { readonly error: unknown };

export function outcomeOf<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

/** A run of a group of changes, to be committed. */
export interface GroupRun {
  readonly batch: Batch<Effect>;
  /** The outcomes of the first changes. There are fewer than changes if these would write too much at once. */
  readonly outcomes: readonly Outcome[];
  /** Undefined if there is nothing to write, and nothing to check. */
  readonly commit: Commit | undefined;
}

/** Maximum length of what a group writes, in characters. A group ends with the change that reaches it. */
const mostLength = 8 * 1024 * 1024;

export interface RunMeans {
  readonly workspace: Workspace;
  readonly tables: ReadonlyMap<string, RecordTable>;
  readonly slots: Slots;
}

/**
 * Runs changes, one after the other, on what is known. Returns undefined if something that they read is missing: all of it is noted then. Otherwise, the batch
 * stays in the overlay.
 */
export function runGroup(means: RunMeans, facts: Facts, changes: readonly (() => unknown)[]): GroupRun | undefined {
  const { overlay } = means.workspace;
  facts.begin();
  const batch = overlay.begin();
  const outcomes: Outcome[] = [];
  let [seen, length] = [0, 0];
  means.workspace.with(facts, () => {
    for (const change of changes) {
      outcomes.push(outcomeOf(() => overlay.run(batch, change)));
      for (; seen < batch.writes.length; seen += 1) length += lengthOf(batch.writes[seen] as Effect);
      if (length >= mostLength) return;
    }
  });
  if (isKnown(means, facts)) return { batch, outcomes, commit: commitOf(means, facts, batch) };
  overlay.forget(batch);
  return undefined;
}

/** Returns whether a run had all that it has read, and the ids that it needs. */
export function isKnown({ tables }: Pick<RunMeans, "tables">, facts: Facts): boolean {
  return facts.isComplete && tables.values().every(({ ids }) => ids.wanted === 0);
}

function commitOf({ tables, slots }: RunMeans, facts: Facts, batch: Batch<Effect>): Commit | undefined {
  if (batch.writes.length === 0 && !facts.isDoubtful) return undefined;
  const effect = netEffect(batch.writes);
  const entries = noChanges();
  for (const { layout, id, after, origin } of effect.records) {
    const before = origin === "present" ? tables.get(layout.resource.name)?.known(facts, id) : undefined;
    slots.addChanges(layout.resource, id, before && parsed(storedJson(before)), after ? parsed(after.json) : undefined, entries);
  }
  const id = batch.eventIds.at(-1) ?? crypto.randomUUID();
  return { id, effect, entries, slots: slots.version, reads: facts.isExact ? undefined : readsOf(facts) };
}

function parsed(json: string): object {
  return JSON.parse(json) as object;
}

function lengthOf(effect: Effect): number {
  if (effect.kind === "record") return effect.after?.json.length ?? 0;
  if (effect.kind === "event") return effect.event.body.length;
  return effect.kind === "answer" ? effect.first.answer.length : 0;
}
