import type { Scalar } from "../../schema/paths";
import type { Resource } from "../../schema/resource";
import { reversed, type SortKey, sortKeys } from "../../schema/sort";
import { indexesOf, type ListIndex, limitFields } from "./indexes";
import type { Bindings, Bounds, Conditions, Given } from "./list-conditions";
import { comparable, elementsOf, keyOf, stored } from "./list-keys";
import { idsIn, partsOf, pendingIn } from "./list-lookups";
import type { Source } from "./list-walk";

/** A way to walk through a list in its order. */
export interface Way {
  readonly source: Source;
  /** The conditions that all records on the way match. */
  readonly covered: ReadonlySet<Given>;
  /** Values for the parameters of the source. Several, if the way has to be walked once for each and the ids be merged. */
  readonly variants: readonly Bindings[];
}

/** Finds ways through the lists of a resource. */
export class Sources {
  readonly #indexes: readonly ListIndex[];

  constructor(
    readonly resource: Resource,
    readonly conditions: Conditions,
  ) {
    this.#indexes = indexesOf(resource);
  }

  /** SQL for all ids. */
  get allIds(): string {
    return `SELECT id FROM "${this.resource.plural}"`;
  }

  /** Returns SQL for the ids of the records that match a condition, in any order. It reads only an index, which the condition must have. */
  idsOf(one: Given): string {
    const { conditions } = this;
    const { path, condition } = one;
    const lookup = conditions.lookupOf(one);
    if (lookup) {
      const parameter = (name: string) => conditions.parameter(path, name);
      return idsIn(lookup, `IN (${elementsOf(parameter("Keys"))})`, [parameter("Changed"), parameter("Added")]);
    }
    const from = `SELECT id FROM ${this.#indexed(path)} WHERE`;
    const { exact } = condition;
    if (!exact) return `${from} ${conditions.between(path, condition).filter(Boolean).join(" AND ")}`;
    const key = keyOf(this.resource, path);
    // SQLite does not look up an OR in one index.
    const isNull = exact.includes(null) ? ` UNION ALL ${from} ${key} IS NULL` : "";
    return `SELECT id FROM (${from} ${key} IN (${conditions.values(path)})${isNull})`;
  }

  #indexed(path: string): string {
    return `"${this.resource.plural}" INDEXED BY "${this.resource.plural}.${path}"`;
  }

  /**
   * Returns the way through a list whose records match most of its conditions. Those that limit what an actor sees come first, since the
   * place where a page ends must not tell of other records; in a list by id, it has no more than an id.
   *
   * @throws {TypeError} if the resource has no such order.
   */
  wayThrough(sort: readonly string[], given: readonly Given[]): Way {
    const isById = sort.length === 1 && /^-?id$/.test(sort[0] as string);
    const ways = isById ? this.#waysById(sort[0] === "-id", given) : this.#waysBy(sort, given);
    const [first, ...others] = ways;
    if (!first) throw new TypeError(`The lists of "${this.resource.name}" cannot be sorted by "${sort.join(",")}".`);
    const limits = new Set(limitFields(this.resource).flat());
    const limitWorth = isById ? 1.5 : given.length;
    const worth = ({ covered }: Way) => [...covered].reduce((sum, { path }) => sum + (limits.has(path) ? limitWorth : 1), 0);
    return others.reduce((best, way) => (worth(way) > worth(best) ? way : best), first);
  }

  #waysById(descending: boolean, given: readonly Given[]): Way[] {
    const { plural } = this.resource;
    const way = (from: string, where: string[], covered: Given[], variants: Bindings[], also?: string): Way => ({
      source: { from, id: "id", columns: [], descending, where, bounds: [undefined, undefined], ...(also && { also }) },
      covered: new Set(covered),
      variants,
    });
    const single = singleValues(given);
    return [
      way(`"${plural}"`, [], [], [{}]),
      ...this.#indexes.flatMap(({ name, keys }) => {
        const fixed = keys.flatMap(({ path }) => single.get(path) ?? []);
        if (keys.length < 2 || fixed.length < keys.length) return [];
        const values = Object.fromEntries(fixed.map(({ value }, index) => [`fixed${index}`, stored(value)]));
        const where = keys.map(({ path }, index) => this.#isFixed(path, index));
        return [
          way(
            `"${plural}" INDEXED BY "${name}"`,
            where,
            fixed.map(({ one }) => one),
            [values],
          ),
        ];
      }),
      ...given.flatMap((one) => {
        const { path, condition } = one;
        const lookup = this.conditions.lookupOf(one);
        if (lookup) {
          const keys = [...new Set(lookup.keysOf(condition))].map((fixed0) => ({ fixed0, ...pendingIn(lookup, [fixed0]) }));
          const { table, where, also } = partsOf(lookup, "= $fixed0", ["$changed", "$added"]);
          return [way(table, where, this.conditions.isWhole(one) ? [one] : [], keys, also)];
        }
        if (!condition.exact || !this.conditions.hasIndex(one)) return [];
        const values = [...new Set(condition.exact)].map((value) => ({ fixed0: stored(value) }));
        return [way(this.#indexed(path), [this.#isFixed(path, 0)], [one], values)];
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
        if (sort.join() === rest.join()) return [this.#wayAlong(index, skip, false, fixed, given)];
        if (sort.join() === reversed(rest).join()) return [this.#wayAlong(index, skip, true, fixed, given)];
      }
      return [];
    });
  }

  #wayAlong({ name, keys }: ListIndex, skip: number, descending: boolean, fixed: readonly OneValue[], given: readonly Given[]): Way {
    const columns = keys.slice(skip).map((key) => ({ key: keyOf(this.resource, key.path), descending: key.descending !== descending }));
    const { path } = keys[skip] as SortKey;
    const first = given.find((one) => one.path === path && (!one.condition.exact || isOneValue(one.condition.exact)));
    const values = [...fixed.map(({ value }) => value), ...(first?.condition.exact ?? [])];
    const [lower, upper] = first ? this.#boundsOf(first, skip) : [undefined, undefined];
    return {
      source: {
        from: `"${this.resource.plural}" INDEXED BY "${name}"`,
        id: "id",
        columns,
        descending,
        where: fixed.map((_, index) => this.#isFixed((keys[index] as SortKey).path, index)),
        bounds: columns[0]?.descending ? [upper, lower] : [lower, upper],
      },
      covered: new Set([...fixed.map(({ one }) => one), ...(first ? [first] : [])]),
      variants: [Object.fromEntries(values.map((value, index) => [`fixed${index}`, stored(value)]))],
    };
  }

  #boundsOf({ path, condition }: Given, index: number): Bounds {
    if (!condition.exact) return this.conditions.between(path, condition);
    const [key, value] = [keyOf(this.resource, path), comparable(this.resource, path, `$fixed${index}`)];
    return [`${key} >= ${value}`, `${key} <= ${value}`];
  }

  #isFixed(path: string, index: number): string {
    return `${keyOf(this.resource, path)} IS ${comparable(this.resource, path, `$fixed${index}`)}`;
  }

  /** The columns of a sort order, as the place of a record has them. */
  keysOf(sort: readonly string[]): string[] {
    return sortKeys(sort).flatMap(({ path }) => (path === "id" ? [] : [keyOf(this.resource, path)]));
  }
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
