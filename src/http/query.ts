import { type TObject, type TUnsafe, Type } from "@sinclair/typebox";
import { documentedAs } from "../schema/documented";
import { type Mistake, placeOf } from "../schema/mistakes";
import { invalid } from "./mistakes";

interface Documented {
  readonly type: "array" | "boolean" | "integer" | "number" | "string";
  readonly [keyword: string]: unknown;
}

/** A query parameter. Its value is sent as text. */
export interface Parameter<Value> {
  /** Describes the meaning and the valid values. It is also the detail of the problem for an invalid value. */
  readonly description: string;
  /** The schema that the documentation shows. */
  readonly documented: Documented;
  /** Maximum number of times that the parameter may be sent. Its value is then an array of all values. Default: 1. */
  readonly most?: number;
  /** Returns the value of the text, or undefined if the text is not valid. */
  read(text: string): Value | undefined;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;
export type ValuesOf<Of extends Parameters> = { [Name in keyof Of]?: Of[Name] extends Parameter<infer Value> ? Value : never };

/** Returns a parameter that accepts one of a few words. */
export function word<const Words extends readonly string[]>(words: Words, description: string, fallback?: Words[number]) {
  const documented = { type: "string" as const, enum: words, ...(fallback && { default: fallback }) };
  const parameter: Parameter<Words[number]> = { description, documented, read: (text) => words.find((known) => known === text) };
  return parameter;
}

/** Returns a parameter that accepts text of 1 to `maxLength` characters. */
export function text(maxLength: number, description: string): Parameter<string> {
  return {
    description,
    documented: { type: "string", minLength: 1, maxLength },
    read: (value) => (value !== "" && Array.from(value).length <= maxLength ? value : undefined),
  };
}

/** Returns a parameter that accepts an integer in decimal digits, from `minimum` to `maximum`. */
export function integer(minimum: number, maximum: number, description: string, fallback?: number): Parameter<number> {
  return {
    description,
    documented: { type: "integer", minimum, maximum, ...(fallback !== undefined && { default: fallback }) },
    read: (text) => {
      const value = /^(0|-?[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
      return value >= minimum && value <= maximum ? value : undefined;
    },
  };
}

/** Returns a parameter that accepts `true` or `false`. */
export function flag(description: string): Parameter<boolean> {
  return {
    description,
    documented: { type: "boolean" },
    read: (text) => (text === "true" ? true : text === "false" ? false : undefined),
  };
}

/** Returns a parameter that may be sent up to `most` times. Its value is an array. */
export function repeated<Value>({ description, documented, read }: Parameter<Value>, most: number): Parameter<readonly Value[]> {
  return {
    description,
    documented: { type: "array", items: documented, minItems: 1, maxItems: most },
    most,
    read: (text) => {
      const value = read(text);
      return value === undefined ? undefined : [value];
    },
  };
}

/** The greatest id: the greatest number of 15 digits. */
export const greatestId = 999_999_999_999_999;

/** The maximum number of results of a page. */
export const limit = integer(1, 200, "Maximum number of results, from 1 to 200. Default: 50.", 50);

/**
 * Returns the schema of the parameters for Elysia and the documentation. Only {@link readQuery} reads them, because Elysia
 * takes the last of repeated parameters and accepts values that it cannot decode.
 */
export function querySchema<Query>(parameters: Parameters): TUnsafe<Query> {
  const properties = Object.entries(parameters).map(
    ([name, { description, documented }]) => [name, Type.Optional(Type.Any({ description, [documentedAs]: documented }))] as const,
  );
  return Type.Object(Object.fromEntries(properties), { additionalProperties: true }) as TObject as unknown as TUnsafe<Query>;
}

/** Returns the parameters for the `parameters` of an operation in the OpenAPI document, where that list has to be complete. */
export function documentedQuery(parameters: Parameters) {
  return Object.entries(parameters).map(([name, { description, documented }]) => {
    return { name, in: "query" as const, required: false, description, schema: documented as object };
  });
}

/**
 * Reads the query of a URL strictly: every parameter must be known, valid, encoded in UTF-8, and sent once unless it
 * may be repeated.
 *
 * @throws {HttpProblem} 422 with every mistake in the query.
 */
export function readQuery<Of extends Parameters>(url: string, parameters: Of): ValuesOf<Of> {
  const start = url.indexOf("?");
  if (start === -1) return {};
  const known = Object.keys(parameters).join(", ");
  const unexpected = `Unexpected parameter${known && `. Known: ${known}`}`;
  const mistakes = new Map<string, Mistake>();
  const refuse = (name: string, detail: string) => mistakes.set(name, { pointer: placeOf(name), detail });
  const values = new Map<string, unknown>();
  const times = new Map<string, number>();
  for (const pair of url.slice(start + 1).split("&")) {
    if (pair === "") continue;
    const [encodedName = "", ...rest] = pair.split("=");
    const name = decoded(encodedName);
    const parameter = name !== undefined && Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (name === undefined || !parameter) {
      refuse(name ?? encodedName, name === undefined ? "Expected percent-encoded UTF-8" : unexpected);
      continue;
    }
    const { most = 1 } = parameter;
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    if (time > most) {
      refuse(name, most === 1 ? "Expected once" : `Expected at most ${most} times`);
      continue;
    }
    const text = decoded(rest.join("="));
    const value = text === undefined || text.includes("\0") ? undefined : parameter.read(text);
    values.set(
      name,
      most === 1 ? value : [...((values.get(name) as unknown[] | undefined) ?? []), ...((value as unknown[] | undefined) ?? [])],
    );
    if (value === undefined) refuse(name, parameter.description);
  }
  if (mistakes.size > 0) throw invalid("query", [...mistakes.values()]);
  return Object.fromEntries(values) as ValuesOf<Of>;
}

/** Returns the query of a URL as it was sent. The URL before it may be invalid if the Host header is. */
export function searchOf(url: string): URLSearchParams {
  return new URLSearchParams(/\?(.*)/s.exec(url)?.[1]);
}

/** An Elysia hook for a route without query parameters. It throws a 422 problem if the request has any. */
export function refuseQuery({ request }: { request: Request }): void {
  readQuery(request.url, {});
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
