import type { Filter } from "../../../schema/filter";
import type { Resource } from "../../../schema/resource";
import { type Given, ListConditions } from "../../list-conditions";
import type { Condition } from "../../listing";
import type { PendingTables } from "../changes/pending-entries";
import { comparable, elementsOf, jsonPath, keyOf } from "../records/list-keys";
import { type LookupTable, pendingIn, tableOf } from "./list-lookups";

export type Bindings = Record<string, string | number | Uint8Array | null>;

export type Bounds = readonly [lower: string | undefined, upper: string | undefined];

/** Upper bound for all texts: in SQLite, every blob is greater than every text. */
const afterAllText = new Uint8Array();

/** The conditions that the lists of a resource can have, as SQL. A parameter is named after the number of its filter. */
export class Conditions extends ListConditions {
  /** SQL for all filters. It is the same text whichever filters are given, so that one statement serves them all. */
  readonly all: string;
  readonly #paths: readonly string[];

  constructor(
    resource: Resource,
    readonly pending: PendingTables,
  ) {
    super(resource);
    this.#paths = [...this.filters.keys()];
    this.all = [...this.filters].flatMap(([path, filters]) => filters.map((filter) => this.#matches(path, filter))).join(" AND ");
  }

  /** Returns a value for each parameter of all filters: null for those that are not given. */
  bindings(given: readonly Given[]): Bindings {
    const bindings: Bindings = {};
    for (const [index, path] of this.#paths.entries()) {
      const { exact, min, max, prefix, contains } = conditionAt(given, path);
      const [from, to] = prefix === undefined ? [min, max] : textsWith(prefix);
      const one = { path, condition: { exact, contains } };
      const keys = this.lookupOf(one)?.keysOf(one.condition);
      const table = this.tableOf(one);
      const { changed, added } = table && keys ? pendingIn(table, keys) : { changed: null, added: null };
      const values = {
        Exact: exact && JSON.stringify(exact.filter((value) => value !== null)),
        Null: exact && Number(exact.includes(null)),
        From: from,
        To: to,
        All: contains && JSON.stringify(contains),
        Keys: JSON.stringify(keys),
        Changed: changed,
        Added: added,
      };
      for (const [name, value] of Object.entries(values)) bindings[`f${index}${name}`] = value ?? null;
    }
    return bindings;
  }

  /** SQL conditions for the bounds of a field, if they are given. */
  between(path: string, { min, max, prefix }: Condition): Bounds {
    const key = keyOf(this.resource, path);
    const value = (name: string) => comparable(this.resource, path, this.parameter(path, name));
    if (prefix !== undefined) return [`${key} >= ${value("From")}`, `${key} < ${value("To")}`];
    return [min === undefined ? undefined : `${key} >= ${value("From")}`, max === undefined ? undefined : `${key} <= ${value("To")}`];
  }

  parameter(path: string, name: string): string {
    return `$f${this.#paths.indexOf(path)}${name}`;
  }

  /** Returns the table that finds the records of a condition. Undefined if there is none. */
  tableOf(one: Given): LookupTable | undefined {
    const lookup = this.lookupOf(one);
    return lookup && tableOf(this.resource.plural, lookup, this.pending);
  }

  /** SQL for the values of `exact`. */
  values(path: string): string {
    return `SELECT ${comparable(this.resource, path, "value")} FROM json_each(${this.parameter(path, "Exact")})`;
  }

  /** SQL for the condition of a filter, which holds if it is not given. The column is qualified, as json_each has one of that name. */
  #matches(path: string, filter: Filter): string {
    const json = `"${this.resource.plural}".json`;
    const key = keyOf(this.resource, path, json);
    const [exact, isNull, from, to, all] = ["Exact", "Null", "From", "To", "All"].map((name) => this.parameter(path, name));
    if (filter === "exact") return `(${exact} IS NULL OR ${key} IN (${this.values(path)}) OR (${isNull} AND ${key} IS NULL))`;
    const bound = (parameter = "", operator: string) =>
      `(${parameter} IS NULL OR ${key} ${operator} ${comparable(this.resource, path, parameter)})`;
    if (filter !== "contains") return `${bound(from, ">=")} AND ${bound(to, filter === "range" ? "<=" : "<")}`;
    const elements = `SELECT value FROM json_each(${json}, '${jsonPath(path)}') WHERE value NOT NULL`;
    return `(${all} IS NULL OR NOT EXISTS (${elementsOf(all as string)} AS wanted WHERE wanted.value NOT IN (${elements})))`;
  }
}

function conditionAt(given: readonly Given[], path: string): Condition {
  return Object.assign({}, ...given.filter((one) => one.path === path).map(({ condition }) => condition)) as Condition;
}

/** Returns the bounds of the texts with a prefix: from the prefix up to the next text without it. SQLite compares code points. */
function textsWith(prefix: string): [from: string, to: string | Uint8Array] {
  const points = Array.from(prefix, (point) => point.codePointAt(0) as number);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return [prefix, afterAllText];
  // Skip the surrogates, which are not characters.
  return [prefix, String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)];
}
