/** A value or a target of a record, with the record's id. */
export interface SideEntry {
  readonly key: string | number;
  readonly id: number;
}

/** An entry of a side table that a change adds (`isHeld`) or removes. */
export interface SideChange extends SideEntry {
  readonly isHeld: boolean;
}

const none: ReadonlyMap<number, boolean> = new Map();

/** The committed changes of one side table that are in the journal and not in the table yet, by generation. */
export class PendingEntries {
  /** Oldest first. */
  readonly #generations = new Map<number, Map<string | number, SideChange[]>>();

  add(generation: number, change: SideChange): void {
    const changes = this.#generations.get(generation) ?? new Map<string | number, SideChange[]>();
    this.#generations.set(generation, changes);
    const known = changes.get(change.key);
    if (known) known.push(change);
    else changes.set(change.key, [change]);
  }

  /** Returns for each record whether it now has an entry with a key. Says nothing of records whose entry has not changed. */
  of(key: string | number): ReadonlyMap<number, boolean> {
    let states: Map<number, boolean> | undefined;
    for (const changes of this.#generations.values()) {
      for (const { id, isHeld } of changes.get(key) ?? []) {
        states ??= new Map();
        states.set(id, isHeld);
      }
    }
    return states ?? none;
  }

  /** Returns the ids whose entries with some keys have changed, and those that have one now. */
  changesOf(keys: readonly (string | number)[]): { readonly changed: number[]; readonly added: number[] } {
    const states = keys.flatMap((key) => [...this.of(key)]);
    return { changed: states.map(([id]) => id), added: states.flatMap(([id, isHeld]) => (isHeld ? id : [])) };
  }

  /** Returns the last change of each entry of a generation, in the order of the keys. */
  sorted(generation: number): SideChange[] {
    const changes = [...(this.#generations.get(generation) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return changes.flatMap(([, each]) => [...new Map(each.map((change) => [change.id, change])).values()]);
  }

  forget(generation: number): void {
    this.#generations.delete(generation);
  }
}

/** The pending entries of all side tables, by the name of the table. */
export class PendingTables {
  readonly #tables = new Map<string, PendingEntries>();

  of(table: string): PendingEntries {
    const known = this.#tables.get(table) ?? new PendingEntries();
    this.#tables.set(table, known);
    return known;
  }
}
