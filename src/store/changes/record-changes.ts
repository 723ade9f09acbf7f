import { BrokenHook } from "../../schema/hook";
import { withPrivateDefaults } from "../../schema/private";
import type { Recorded } from "../../schema/record";
import { Conflict, InvalidChange, InvalidRecord, RefusedChange } from "../../schema/refused-change";
import type { Proposed, Resource, ResourceTypes } from "../../schema/resource";
import { changeable, requireScope } from "../access";
import type { ChangeContext, GuardedContext } from "../change-context";
import { type Decision, decideChange } from "../decide";
import { planRemoval, type Removal } from "../removal";
import { shown } from "../shown";
import type { InsertOutcome } from "../store";
import type { Stored } from "../stored";
import type { CommitClock } from "./commit-clock";
import type { Constraints } from "./constraints";
import type { CurrentRecords } from "./current-records";
import type { EventAppender } from "./event-appender";
import type { Overlay } from "./overlay";
import type { TimerChanges } from "./timer-changes";

interface Means {
  readonly overlay: Overlay;
  readonly clock: CommitClock;
  readonly events: EventAppender;
  readonly constraints: Constraints;
  readonly timers: TimerChanges;
  /** Returns the state in which a record was deleted, from the committed log. */
  readonly deleted: (resource: Resource, id: number) => Stored | undefined;
}

/** Changes records and adds their events. Call its methods only inside a change; `of` anywhere. */
export class RecordChanges {
  constructor(
    readonly records: ReadonlyMap<string, CurrentRecords>,
    readonly means: Means,
  ) {}

  /** @throws {Error} if the store was opened without the resource. */
  of(resource: Resource): CurrentRecords {
    return ofResource(this.records, resource);
  }

  /**
   * Runs several changes as one: their unique values are checked when all have run, so that records can swap values. If it throws,
   * nothing may be committed.
   */
  together<T>(changes: () => T): T {
    return this.means.constraints.together(changes);
  }

  /** @param id the id of the new record. Default: the next one. */
  insert(resource: Resource, fields: object, context?: ChangeContext, id = this.of(resource).stored.nextId()): Stored {
    requireScope(resource, context?.actor);
    return this.#create(resource, id, context, (now) =>
      decideChange(resource, fields, { id, previous: undefined, now, actor: context?.actor }),
    );
  }

  #create(resource: Resource, id: number, context: ChangeContext | undefined, decide: (now: string) => Decision): Stored {
    const { clock, events, constraints, timers } = this.means;
    const records = this.of(resource);
    return this.together(() => {
      const now = clock.now();
      const { stored, after } = decide(now);
      records.insert(stored);
      constraints.apply({ resource, id, before: undefined, after, actor: context?.actor });
      events.append(resource, "created", stored, now, context);
      if (context) timers.apply(resource, id, now, context);
      return stored;
    });
  }

  /** Inserts a record, or returns why it is refused. The running change goes on then. */
  tryInsert(resource: Resource, fields: object, context?: ChangeContext, id?: number): InsertOutcome {
    return this.attempt(() => this.insert(resource, fields, context, id));
  }

  /** Runs several changes as one, or returns why one is refused: none is made then, and the running change goes on. */
  attempt<T>(changes: () => T): T | RefusedChange | BrokenHook {
    try {
      return this.means.overlay.attempt(() => this.together(changes));
    } catch (error) {
      if (error instanceof RefusedChange || error instanceof BrokenHook) return error;
      throw error;
    }
  }

  update<T extends ResourceTypes>(
    resource: Resource<T>,
    id: number,
    change: (current: Recorded<T["fields"]>) => Proposed<T>,
    context?: GuardedContext<T["events"]>,
  ): Stored | undefined {
    const current = changeable(resource, this.of(resource).get(id), context?.actor);
    if (!current) return undefined;
    context?.guard?.(shown(resource, current));
    return this.#update(resource, current, change, context);
  }

  #update<T extends ResourceTypes>(
    resource: Resource<T>,
    current: Stored,
    change: (current: Recorded<T["fields"]>) => Proposed<T>,
    context?: ChangeContext<T["events"]>,
  ): Stored {
    const { clock, events, constraints, timers } = this.means;
    const records = this.of(resource);
    const { id } = current;
    const fields = change(JSON.parse(current.json) as Recorded<T["fields"]>);
    return this.together(() => {
      const now = clock.now();
      const { stored, isChange, after } = decideChange(resource, fields, { id, previous: current, now, actor: context?.actor });
      if (isChange) {
        records.replace(stored);
        constraints.apply({ resource, id, before: current, after, actor: context?.actor });
      }
      events.append(resource, isChange ? "updated" : null, stored, now, context);
      if (context) timers.apply(resource, id, now, context);
      return stored;
    });
  }

  /** Deletes a record and, as the references to it say, deletes or changes the records that refer to it. */
  remove(resource: Resource, id: number, context?: GuardedContext): Stored | undefined {
    const last = changeable(resource, this.of(resource).get(id), context?.actor);
    if (!last) return undefined;
    const { guard, emit, later, cancel, ...others } = context ?? {};
    if (later?.length)
      throw new TypeError("A change that deletes its record cannot set a timer: the timer would be dropped with the record.");
    guard?.(shown(resource, last));
    return this.together(() => {
      const { nulled, removed } = planRemoval({ resource, id }, (record) => this.means.constraints.affected(record));
      for (const each of nulled) this.#setNull(each, resource, others);
      for (const each of removed.slice(0, -1)) this.#remove(each.resource, each.id, others);
      return this.#remove(resource, id, { emit, cancel, ...others });
    });
  }

  restore(resource: Resource, id: number, context?: GuardedContext): Stored | undefined {
    const { name } = resource;
    const records = this.of(resource);
    const present = records.get(id);
    const last = changeable(resource, present ?? records.removed(id) ?? this.means.deleted(resource, id), context?.actor);
    if (!last) return undefined;
    if (present) throw new Conflict(`The ${name} ${id} exists. Only a deleted ${name} can be restored.`);
    context?.guard?.(shown(resource, last));
    return this.#create(resource, id, context, (now) => {
      const circumstances = { id, previous: last, isRestored: true, now, actor: context?.actor };
      return asRestored(name, id, () =>
        decideChange(resource, withPrivateDefaults(resource, JSON.parse(last.json) as object), circumstances),
      );
    });
  }

  #remove(resource: Resource, id: number, context: ChangeContext): Stored {
    const { clock, events, constraints, timers } = this.means;
    const records = this.of(resource);
    const last = records.get(id) as Stored;
    const now = clock.now();
    records.remove(last);
    constraints.apply({ resource, id, before: last, after: undefined, actor: context.actor });
    events.append(resource, "deleted", last, now, context);
    timers.drop(resource, id);
    timers.apply(resource, id, now, context);
    return last;
  }

  #setNull({ resource, id, paths }: Removal["nulled"][number], target: Resource, context: ChangeContext): void {
    try {
      // Whoever may delete the record also changes those that refer to it, of whomever they are.
      const current = this.of(resource).get(id);
      if (current) this.#update(resource, current, (fields) => withNull(fields, paths), context);
    } catch (error) {
      if (!(error instanceof RefusedChange)) throw error;
      throw new Conflict(
        `The ${target.name} cannot be deleted, because at least one ${resource.name} refers to it and cannot do without it: ${error.message}`,
      );
    }
  }
}

/**
 * Returns what a store has for a resource.
 *
 * @throws {Error} if the store was opened without the resource.
 */
export function ofResource<T>(all: ReadonlyMap<string, T>, { name }: Resource): T {
  const own = all.get(name);
  if (own === undefined) throw new Error(`The store was opened without the resource "${name}"; export it from a file in src/domain/.`);
  return own;
}

/** Returns a record in which the fields at these paths are null. */
function withNull<Fields extends object>(record: Fields, paths: readonly string[]): Fields {
  for (const path of paths) {
    const names = path.split(".");
    const field = names.pop() as string;
    const parent = names.reduce<Record<string, unknown> | undefined>((at, name) => at?.[name] as typeof at, record as never);
    if (parent) parent[field] = null;
  }
  return record;
}

/** Runs `work`. A record that no longer matches the schema is not a mistake of the route, but of the record. */
function asRestored<T>(name: string, id: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof InvalidChange) throw new InvalidRecord(`The last state of the ${name} ${id} is no longer valid.`, error.mistakes);
    throw error;
  }
}
