import type { Database } from "bun:sqlite";
import type { Resource } from "../../schema/resource";
import type { Stored } from "../stored";
import type { SideTable } from "./side-tables";
import type { Uncommitted } from "./uncommitted";
import { UniqueTable } from "./unique-table";

export interface RecordChange {
  readonly resource: Resource;
  readonly id: number;
  /** The record before the change. Undefined if the change creates it. */
  readonly before: Stored | undefined;
  /** The fields after the change. Undefined if the change deletes the record. */
  readonly after: object | undefined;
}

/**
 * Checks the unique keys, inside a change of the group commit. A value that a record gives up is free at once. What a record needs
 * is checked when all changes made {@link together} are known, so that they can swap values.
 */
export class Constraints {
  readonly #unique = new Map<string, readonly UniqueTable[]>();
  /** The checks to make after the changes that run together. */
  #checks: (() => void)[] | undefined;

  constructor(db: Database, uncommitted: Uncommitted, resources: readonly Resource[]) {
    for (const resource of resources)
      this.#unique.set(
        resource.name,
        resource.unique.map((key) => new UniqueTable(db, uncommitted, resource, key)),
      );
  }

  get tables(): SideTable[] {
    return [...this.#unique.values()].flat();
  }

  unique(resource: Resource): readonly UniqueTable[] {
    return this.#unique.get(resource.name) ?? [];
  }

  /** Runs changes of one or several records. If they are refused together, throws after they ran; nothing may be committed then. */
  together<T>(changes: () => T): T {
    if (this.#checks) return changes();
    const checks: (() => void)[] = [];
    this.#checks = checks;
    try {
      const value = changes();
      for (const check of checks) check();
      return value;
    } finally {
      this.#checks = undefined;
    }
  }

  /** Applies a change of a record, inside of {@link together}. */
  apply({ resource, id, before: stored, after }: RecordChange): void {
    const tables = this.unique(resource);
    if (tables.length === 0) return;
    const before = stored && (JSON.parse(stored.json) as object);
    for (const table of tables) {
      const [old, now] = [before && table.valueOf(before), after && table.valueOf(after)];
      if (old === now) continue;
      if (typeof old === "string") table.release(old);
      if (typeof now === "string") this.#checks?.push(() => table.hold(now, id));
    }
  }
}
