import type { Actor } from "../../schema/actor";
import { distinctAt, type PlacedValue, stepsOf, valuesAt } from "../../schema/path-values";
import type { Reference } from "../../schema/references";
import type { Resource } from "../../schema/resource";
import type { UniqueKey } from "../../schema/unique";
import { exists } from "../access";
import { notUnique, uniqueValueOf } from "../unique-values";
import type { CurrentRecords } from "./current-records";
import type { Overlay } from "./overlay";

/** An entry that a change adds (`isHeld`) or removes: a value or a target of a record, with the record's id. */
export interface EntryChange {
  /** Name of the entries, such as those of a unique key. */
  readonly name: string;
  readonly key: string | number;
  readonly id: number;
  readonly isHeld: boolean;
}

/** Entries that are derived from a record and constrain nothing, such as the words of a search. */
export interface DerivedEntries {
  /** Writes the change of a record, of which either state may be missing. */
  apply(id: number, before: object | undefined, after: object | undefined): void;
}

/** The values of one unique key, each with the id of the record that has it. */
export abstract class UniqueEntries {
  /** Begins the keys of the values in the overlay. */
  abstract readonly name: string;
  /** Returns a record's value, or null if it takes no place. */
  readonly valueOf: (record: object) => string | null;

  constructor(
    readonly overlay: Overlay,
    readonly resource: Resource,
    readonly key: UniqueKey,
  ) {
    this.valueOf = uniqueValueOf(key);
  }

  /** Returns the id of the record that has a value as last committed. */
  abstract get(value: string): number | undefined;

  /** Returns the id of the record that has a value, including uncommitted changes. */
  current(value: string): number | undefined {
    const changed = this.overlay.find<number | null>(this.#key(value));
    return changed === undefined ? this.get(value) : (changed ?? undefined);
  }

  /** @throws {Conflict} if another record has the value. */
  hold(value: string, id: number): void {
    if (this.current(value) !== undefined) throw notUnique(this.resource, this.key);
    this.overlay.keep(this.#key(value), id);
  }

  release(value: string): void {
    this.overlay.keep(this.#key(value), null);
  }

  #key(value: string): string {
    return `${this.name}/${value}`;
  }
}

/** The records that refer to a record, by one reference. */
export abstract class ReferenceEntries {
  /** Begins the keys of the targets in the overlay. */
  abstract readonly name: string;
  readonly resource: Resource;
  /** The records that they refer to. */
  readonly to: CurrentRecords;
  readonly #own: CurrentRecords;
  readonly #steps: ReturnType<typeof stepsOf>;

  /** @param records the records that refer, and those that they refer to. */
  constructor(
    readonly overlay: Overlay,
    readonly reference: Reference,
    { own, to }: { readonly own: CurrentRecords; readonly to: CurrentRecords },
  ) {
    this.resource = own.resource;
    this.#own = own;
    this.to = to;
    this.#steps = stepsOf(reference.path);
  }

  /** Returns the ids of the records that refer to a record as last committed. Others may be among them. */
  protected abstract stored(target: number): Iterable<number>;

  /** Returns the ids that a record refers to, with their places. An id may occur several times. */
  placesIn(record: object): PlacedValue[] {
    return valuesAt(record, this.#steps);
  }

  targetsIn(record: object | undefined): Set<number> {
    return distinctAt(record, this.#steps) as Set<number>;
  }

  /** Returns whether a record to refer to exists, as far as an actor can see. */
  hasTarget(target: number, actor: Actor | undefined): boolean {
    return actor ? exists(this.to.resource, this.to.get(target), actor) : this.to.has(target);
  }

  /** Notes that a record may refer to another one, so that {@link referrers} considers it. */
  note(target: number, id: number): void {
    this.overlay.append(this.#key(target), id);
  }

  /** Returns the ids of the records that refer to a record, including uncommitted changes. */
  *referrers(target: number): Generator<number> {
    const refers = (id: number) => {
      const current = this.#own.get(id);
      return current !== undefined && this.targetsIn(JSON.parse(current.json) as object).has(target);
    };
    // A record that has changed since may be in either place, so its current state decides.
    const changed = new Set(this.overlay.appended<number>(this.#key(target)));
    for (const id of changed) if (refers(id)) yield id;
    for (const id of this.stored(target)) if (!changed.has(id) && refers(id)) yield id;
  }

  #key(target: number): string {
    return `${this.name}/${target}`;
  }
}
