import { type Parameter, repeated, word } from "../http/query";
import { type FieldAt, fieldAt } from "../schema/field-at";
import { type Filter, type Filters, filtersOf, parametersOf } from "../schema/filter";
import { formats } from "../schema/formats";
import type { Scalar } from "../schema/paths";
import type { Resource } from "../schema/resource";
import { parseTime } from "../schema/time";
import type { Condition, Listing } from "../store/listing";

/** Maximum number of values of one filter. */
const mostValues = 20;

/** The query parameters of a resource's filters, and how to read their values as conditions. */
export interface FilterParameters {
  readonly parameters: Readonly<Record<string, Parameter<unknown>>>;
  conditionsIn(query: Readonly<Record<string, unknown>>): NonNullable<Listing["filters"]>;
}

/** Returns the query parameters of a resource's filters. */
export function filterParameters({ fields, filters }: Pick<Resource, "fields" | "filters">): FilterParameters {
  const each = Object.entries<Filters[string]>(filters).flatMap(([path, declared]) => {
    const field = fieldAt(fields, path);
    return field ? filtersOf(declared).map((filter) => ({ path, ...readers[filter](path, field) })) : [];
  });
  return {
    parameters: Object.assign({}, ...each.map(({ parameters }) => parameters)) as FilterParameters["parameters"],
    conditionsIn(query) {
      const conditions: Record<string, Condition> = {};
      for (const { path, parameters, conditionOf } of each) {
        const values = Object.keys(parameters).map((name) => query[name]);
        if (values.some((value) => value !== undefined)) conditions[path] = { ...conditions[path], ...conditionOf(...values) };
      }
      return conditions;
    },
  };
}

interface FilterReader {
  readonly parameters: Readonly<Record<string, Parameter<unknown>>>;
  /** Returns the condition for the values of the parameters, in their order. */
  conditionOf(...values: readonly unknown[]): Condition;
}

const readers: Readonly<Record<Filter, (path: string, field: FieldAt) => FilterReader>> = {
  exact(path, field) {
    const [name, nullName = ""] = parametersOf(path, "exact");
    const values = repeated(
      valueParameter(field, `Only records whose ${path} is this value, or one of these if it is repeated.`),
      mostValues,
    );
    const isNull = word(["true"], `\`true\`: only records without ${path}. With values of \`${name}\`, records with one of these as well.`);
    return {
      parameters: { [name]: values, ...(field.isNullable && { [nullName]: isNull }) },
      conditionOf: (given, withNull) => ({ exact: [...((given as Scalar[] | undefined) ?? []), ...(withNull ? [null] : [])] }),
    };
  },
  contains(path, { elements }) {
    const [name] = parametersOf(path, "contains");
    const value = valueParameter(elements as FieldAt, `Only records whose ${path} contain this value, or all of these if it is repeated.`);
    return { parameters: { [name]: repeated(value, mostValues) }, conditionOf: (given) => ({ contains: given as Scalar[] }) };
  },
  prefix(path) {
    const description = `Only records whose ${path} starts with this text. Case-sensitive; there are no wildcards.`;
    const [name] = parametersOf(path, "prefix");
    return { parameters: { [name]: text(description) }, conditionOf: (prefix) => ({ prefix: prefix as string }) };
  },
  range(path, field) {
    const [least, most = ""] = parametersOf(path, "range");
    return {
      parameters: {
        [least]: boundOf(field, `Only records whose ${path} is at least`, "start"),
        [most]: boundOf(field, `Only records whose ${path} is at most`, "end"),
      },
      conditionOf: (min, max) => ({ min: min as number | string | undefined, max: max as number | string | undefined }),
    };
  },
};

function boundOf({ format }: FieldAt, what: string, ofDay: "start" | "end"): Parameter<number | string> {
  if (format === "date") return dateOf(`${what} this date, such as 2026-11-01.`);
  if (format !== "date-time") return number(`${what} this number.`);
  return {
    description: `${what} this time, such as 2026-11-01T08:00:00Z, or the ${ofDay} of a day, such as 2026-11-01. UTC unless it has an offset.`,
    documented: { type: "string", examples: ["2026-11-01T08:00:00Z"] },
    read: (given) => parseTime(ofDay === "end" && isDate(given) ? `${given}T23:59:59.999Z` : given, "utc")?.toISOString(),
  };
}

/** Returns a parameter for the values of a field. */
function valueParameter({ types, words, format }: FieldAt, description: string): Parameter<Scalar> {
  if (words) return anyOf(words as readonly Scalar[], description);
  if (types.includes("boolean")) return anyOf([true, false], description);
  if (types.every((type) => type === "integer")) return whole(description);
  if (types.includes("number")) return number(description);
  if (format === "date") return dateOf(description);
  return format === "date-time" ? timeOf(description) : text(description);
}

/** Returns a parameter for one of some values. */
function anyOf(values: readonly Scalar[], description: string): Parameter<Scalar> {
  const byText = new Map(values.map((value) => [String(value), value]));
  const type = typeof values[0] as "string" | "number" | "boolean";
  const documented = type === "boolean" ? { type } : { type, enum: [...values] };
  return { description: `${description} One of: ${[...byText.keys()].join(", ")}.`, documented, read: (given) => byText.get(given) };
}

function timeOf(description: string): Parameter<string> {
  const documented = { type: "string", format: "date-time" } as const;
  const read = (given: string) => (formats.get("date-time")?.(given) ? given : undefined);
  return { description: `${description} A time such as 2026-11-01T08:00:00Z.`, documented, read };
}

function whole(description: string): Parameter<number> {
  const { read } = number(description);
  return {
    description: `${description} An integer.`,
    documented: { type: "integer" },
    read: (given) => {
      const value = read(given);
      return Number.isInteger(value) ? value : undefined;
    },
  };
}

function text(description: string): Parameter<string> {
  return {
    description,
    documented: { type: "string", maxLength: 1000 },
    read: (given) => (Array.from(given).length <= 1000 ? given : undefined),
  };
}

function dateOf(description: string): Parameter<string> {
  return { description, documented: { type: "string", format: "date" }, read: (given) => (isDate(given) ? given : undefined) };
}

function isDate(given: string): boolean {
  return formats.get("date")?.(given) ?? false;
}

function number(description: string): Parameter<number> {
  return {
    description,
    documented: { type: "number" },
    read: (given) => {
      const value = /^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?$/.test(given) ? Number(given) : Number.NaN;
      return Number.isFinite(value) ? value : undefined;
    },
  };
}
