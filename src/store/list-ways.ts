import type { Scalar } from "../schema/paths";
import { reversed, type SortKey } from "../schema/sort";
import type { Given, ListConditions } from "./list-conditions";
import { indexesOf, type ListIndex, limitFields } from "./list-indexes";
import type { Lookup } from "./list-lookups";

/** A way to walk through a list in its order. */
export interface Way {
  readonly by: ById | ByIndex | ByLookup;
  /** True if the ids of records with equal keys descend. */
  readonly descending: boolean;
  /** The conditions that all records on the way match. */
  readonly covered: ReadonlySet<Given>;
}

/** Through all records, by id. */
export interface ById {
  readonly kind: "id";
}

/** Along an index, among the records that have some values in its first fields. */
export interface ByIndex {
  readonly kind: "index";
  readonly index: ListIndex;
  /** The values of the first fields. Several, if the list is by id: walk the way once for each, and merge the ids. */
  readonly variants: readonly (readonly (Scalar | null)[])[];
  /** The other fields, in the order of the index. The list is sorted by them. */
  readonly rest: readonly SortKey[];
  /** A condition for the first of them: a range, a prefix, or one value that is not null. */
  readonly first: Given | undefined;
}

/** Through the ids that entries have for some values, by id. Walk the way once for each value, and merge the ids. */
export interface ByLookup {
  readonly kind: "lookup";
  readonly lookup: Lookup;
  readonly values: readonly (string | number | null)[];
}

/** Finds ways through the lists of a resource. */
export class ListWays {
  readonly #indexes: readonly ListIndex[];

  constructor(readonly conditions: ListConditions) {
    this.#indexes = indexesOf(conditions.resource);
  }

  /**
   * Returns the way through a list whose records match most of its conditions. Those that limit what an actor sees come first, since the
   * place where a page ends must not tell of other records; in a list by id, it has no more than an id.
   *
   * @throws {TypeError} if the resource has no such order.
   */
  through(sort: readonly string[], given: readonly Given[]): Way {
    const { resource } = this.conditions;
    const isById = sort.length === 1 && /^-?id$/.test(sort[0] as string);
    const ways = isById ? this.#waysById(sort[0] === "-id", given) : this.#waysBy(sort, given);
    const [first, ...others] = ways;
    if (!first) throw new TypeError(`The lists of "${resource.name}" cannot be sorted by "${sort.join(",")}".`);
    const limits = new Set(limitFields(resource).flat());
    const limitWorth = isById ? 1.5 : given.length;
    const worth = ({ covered }: Way) => [...covered].reduce((sum, { path }) => sum + (limits.has(path) ? limitWorth : 1), 0);
    return others.reduce((best, way) => (worth(way) > worth(best) ? way : best), first);
  }

  #waysById(descending: boolean, given: readonly Given[]): Way[] {
    const single = singleValues(given);
    const way = (by: Way["by"], covered: readonly Given[]): Way => ({ by, descending, covered: new Set(covered) });
    const along = (index: ListIndex, variants: ByIndex["variants"]): ByIndex => ({
      kind: "index",
      index,
      variants,
      rest: [],
      first: undefined,
    });
    return [
      way({ kind: "id" }, []),
      ...this.#indexes.flatMap((index) => {
        const fixed = index.keys.flatMap(({ path }) => single.get(path) ?? []);
        if (index.keys.length < 2 || fixed.length < index.keys.length) return [];
        const values = fixed.map(({ value }) => value);
        const covered = fixed.map(({ one }) => one);
        return [way(along(index, [values]), covered)];
      }),
      ...given.flatMap((one) => {
        const { path, condition } = one;
        const lookup = this.conditions.lookupOf(one);
        if (lookup) {
          const values = [...new Set(lookup.keysOf(condition))];
          return [way({ kind: "lookup", lookup, values }, this.conditions.isWhole(one) ? [one] : [])];
        }
        const index = this.#indexes.find(({ name }) => name === path);
        if (!condition.exact || !index) return [];
        const values = [...new Set(condition.exact)].map((value) => [value]);
        return [way(along(index, values), [one])];
      }),
    ];
  }

  #waysBy(sort: readonly string[], given: readonly Given[]): Way[] {
    const single = singleValues(given);
    return this.#indexes.flatMap((index) => {
      // An index also has the order of its last fields, among the records that are equal in the first ones.
      for (let skip = 0; skip < index.keys.length; skip += 1) {
        const fixed = index.keys.slice(0, skip).map(({ path }) => single.get(path));
        if (!fixed.every((found) => found !== undefined)) break;
        const rest = index.keys.slice(skip).map(({ path, descending }) => (descending ? `-${path}` : path));
        if (sort.join() === rest.join()) return [wayAlong(index, false, fixed, given)];
        if (sort.join() === reversed(rest).join()) return [wayAlong(index, true, fixed, given)];
      }
      return [];
    });
  }
}

function wayAlong(index: ListIndex, descending: boolean, fixed: readonly OneValue[], given: readonly Given[]): Way {
  const rest = index.keys.slice(fixed.length);
  const first = given.find(({ path, condition }) => path === rest[0]?.path && (!condition.exact || isOneValue(condition.exact)));
  return {
    by: { kind: "index", index, variants: [fixed.map(({ value }) => value)], rest, first },
    descending,
    covered: new Set([...fixed.map(({ one }) => one), ...(first ? [first] : [])]),
  };
}

/** A condition that one value fulfils. */
interface OneValue {
  readonly one: Given;
  readonly value: Scalar | null;
}

function singleValues(given: readonly Given[]): Map<string, OneValue> {
  return new Map(
    given.flatMap((one) => {
      const [value, ...more] = one.condition.exact ?? [];
      return value === undefined || more.length > 0 ? [] : [[one.path, { one, value }] as const];
    }),
  );
}

function isOneValue(exact: readonly (Scalar | null)[]): boolean {
  return exact.length === 1 && exact[0] !== null;
}
