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

/** Takes note of a commit, so that later changes do not get its ids, and tells those that wait for it. */
export function confirm({ batch, commit }: GroupRun, tables: ReadonlyMap<string, RecordTable>): void {
  for (const [name, own] of Map.groupBy(commit?.effect.created ?? [], ({ layout }) => layout.resource.name))
    tables.get(name)?.ids.use(own.map(({ id }) => id));
  for (const call of batch.onCommit) call();
}

/** Maximum length of what a group writes, in characters. A group ends with the change that reaches it. */
const mostLength = 8 * 1024 * 1024;

export interface RunMeans {
  readonly workspace: Workspace;
  readonly tables: ReadonlyMap<string, RecordTable>;
  readonly slots: Slots;
}

/**
 * A group whose changes run one after the other on what is known. Its batch is in the overlay until it is forgotten.
 */
export class RunningGroup {
  readonly #batch: Batch<Effect>;
  readonly #outcomes: Outcome[] = [];
  /** Number of writes that were measured, and their length. */
  #measured = 0;
  #length = 0;

  constructor(
    readonly means: RunMeans,
    readonly facts: Facts,
  ) {
    facts.begin();
    this.#batch = means.workspace.overlay.begin();
  }

  /** Number of changes that ran. */
  get size(): number {
    return this.#outcomes.length;
  }

  /** False if the changes have to run again, because something that they have read is missing. */
  get isKnown(): boolean {
    return isKnown(this.means, this.facts);
  }

  /** Runs more changes, as far as there is room. */
  add(changes: readonly (() => unknown)[]): void {
    const { overlay } = this.means.workspace;
    this.means.workspace.with(this.facts, () => {
      for (const change of changes) {
        if (this.#length >= mostLength) return;
        this.#outcomes.push(outcomeOf(() => overlay.run(this.#batch, change)));
        for (const write of this.#batch.writes.slice(this.#measured)) this.#length += lengthOf(write);
        this.#measured = this.#batch.writes.length;
      }
    });
  }

  /** Returns what is to be committed. Returns undefined if something is missing: all of it is noted, and the batch is forgotten then. */
  end(): GroupRun | undefined {
    if (this.isKnown) return { batch: this.#batch, outcomes: this.#outcomes, commit: commitOf(this.means, this.facts, this.#batch) };
    this.forget();
    return undefined;
  }

  forget(): void {
    this.means.workspace.overlay.forget(this.#batch);
  }
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
