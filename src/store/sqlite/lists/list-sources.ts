import type { Scalar } from "../../../schema/paths";
import type { Resource } from "../../../schema/resource";
import { sortKeys } from "../../../schema/sort";
import { compared } from "../../compared-values";
import type { Given } from "../../list-conditions";
import { type ByIndex, type ByLookup, ListWays, type Way } from "../../list-ways";
import { comparable, elementsOf, keyOf } from "../records/list-keys";
import { indexName } from "../schema/indexes";
import type { Bindings, Bounds, Conditions } from "./list-conditions";
import { idsIn, partsOf, pendingIn, tableOf } from "./list-lookups";
import type { Source } from "./list-walk";

/** A {@link Way} as SQL. */
export interface SqlWay {
  readonly source: Source;
  /** The conditions that all records on the way match. */
  readonly covered: ReadonlySet<Given>;
  /** Values for the parameters of the source. Several, if the way has to be walked once for each and the ids be merged. */
  readonly variants: readonly Bindings[];
}

/** The ids of a resource's lists, as SQL. */
export class Sources {
  readonly #ways: ListWays;

  constructor(
    readonly resource: Resource,
    readonly conditions: Conditions,
  ) {
    this.#ways = new ListWays(conditions);
  }

  /** SQL for all ids. */
  get allIds(): string {
    return `SELECT id FROM "${this.resource.plural}"`;
  }

  /** Returns SQL for the ids of the records that match a condition, in any order. It reads only an index, which the condition must have. */
  idsOf(one: Given): string {
    const { conditions } = this;
    const { path, condition } = one;
    const table = conditions.tableOf(one);
    if (table) {
      const parameter = (name: string) => conditions.parameter(path, name);
      return idsIn(table, `IN (${elementsOf(parameter("Keys"))})`, [parameter("Changed"), parameter("Added")]);
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

  /** @throws {TypeError} if the resource has no such order. */
  wayThrough(sort: readonly string[], given: readonly Given[]): SqlWay {
    const way = this.#ways.through(sort, given);
    return { covered: way.covered, ...this.#sqlOf(way) };
  }

  #sqlOf({ by, descending }: Way): Pick<SqlWay, "source" | "variants"> {
    if (by.kind === "index") return this.#along(by, descending);
    if (by.kind === "lookup") return this.#lookedUp(by, descending);
    return { source: { ...byId, from: `"${this.resource.plural}"`, descending }, variants: [{}] };
  }

  #lookedUp({ lookup, values }: ByLookup, descending: boolean): Pick<SqlWay, "source" | "variants"> {
    const entries = tableOf(this.resource.plural, lookup, this.conditions.pending);
    const { table, where, also } = partsOf(entries, "= $fixed0", ["$changed", "$added"]);
    return {
      source: { ...byId, from: table, descending, where, ...(also && { also }) },
      variants: values.map((fixed0) => ({ fixed0, ...pendingIn(entries, [fixed0]) })),
    };
  }

  #along({ index, variants, rest, first }: ByIndex, descending: boolean): Pick<SqlWay, "source" | "variants"> {
    const fixed = index.keys.length - rest.length;
    const columns = rest.map((key) => ({ key: keyOf(this.resource, key.path), descending: key.descending !== descending }));
    const [lower, upper] = first ? this.#boundsOf(first, fixed) : [undefined, undefined];
    const one = first?.condition.exact ?? [];
    return {
      source: {
        from: `"${this.resource.plural}" INDEXED BY "${indexName(this.resource.plural, index)}"`,
        id: "id",
        columns,
        descending,
        where: index.keys.slice(0, fixed).map(({ path }, number) => this.#isFixed(path, number)),
        bounds: columns[0]?.descending ? [upper, lower] : [lower, upper],
      },
      variants: variants.map((values) => bindingsOf([...values, ...one])),
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

/** A source in the order of ids. */
const byId = { id: "id", columns: [], where: [], bounds: [undefined, undefined] } as const;

function bindingsOf(values: readonly (Scalar | null)[]): Bindings {
  return Object.fromEntries(values.map((value, index) => [`fixed${index}`, compared(value)]));
}
