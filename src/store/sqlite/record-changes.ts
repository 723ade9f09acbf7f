import { BrokenHook } from "../../schema/hook";
import type { Recorded } from "../../schema/record";
import { RefusedChange } from "../../schema/refused-change";
import type { Proposed, Resource, ResourceTypes } from "../../schema/resource";
import { decide } from "../decide";
import type { ChangeContext, GuardedContext, InsertOutcome } from "../store";
import type { Stored } from "../stored";
import type { CommitClock } from "./commit-clock";
import type { EventAppender } from "./event-appender";
import type { Table } from "./resource-table";
import type { Snapshot } from "./snapshot";
import type { Uncommitted } from "./uncommitted";

interface Means {
  readonly uncommitted: Uncommitted;
  readonly snapshot: Snapshot;
  readonly clock: CommitClock;
  readonly events: EventAppender;
}

/** Changes records and adds their events. Call its methods only inside a change of the group commit; `table` anywhere. */
export class RecordChanges {
  constructor(
    readonly tables: ReadonlyMap<string, Table>,
    readonly means: Means,
  ) {}

  table(resource: Resource): Table {
    const table = this.tables.get(resource.name);
    if (!table) throw new Error(`The store was opened without the resource "${resource.name}"; export it from a file in src/domain/.`);
    return table;
  }

  insert(resource: Resource, fields: object, context?: ChangeContext): Stored {
    const { clock, events } = this.means;
    const table = this.table(resource);
    const now = clock.now();
    const { stored } = decide(resource, fields, { id: table.nextId(), previous: undefined, now, actor: context?.actor });
    table.insert(stored);
    events.append(resource, "created", stored, now, context);
    return stored;
  }

  /** Inserts a record, or returns why it is refused. The running change goes on then. */
  tryInsert(resource: Resource, fields: object, context?: ChangeContext): InsertOutcome {
    try {
      return this.means.uncommitted.attempt(() => this.insert(resource, fields, context));
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
    const { clock, events, snapshot } = this.means;
    const table = this.table(resource);
    const current = snapshot.read(() => table.current(id));
    if (!current) return undefined;
    context?.guard?.(current);
    const fields = change(JSON.parse(current.json) as Recorded<T["fields"]>);
    const now = clock.now();
    const { stored, isChange } = decide(resource, fields, { id, previous: current, now, actor: context?.actor });
    if (isChange) table.replace(stored);
    events.append(resource, isChange ? "updated" : null, stored, now, context);
    return stored;
  }

  remove(resource: Resource, id: number, context?: GuardedContext): Stored | undefined {
    const { clock, events, snapshot } = this.means;
    const table = this.table(resource);
    const last = snapshot.read(() => table.current(id));
    if (!last) return undefined;
    context?.guard?.(last);
    table.remove(id);
    events.append(resource, "deleted", last, clock.now(), context);
    return last;
  }
}
