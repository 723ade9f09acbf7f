import type { TObject } from "@sinclair/typebox";
import { pathIn } from "./filter";
import type { OneValue, PathTo, Scalar } from "./paths";

/** The sort orders that every list has. With `-` in front, each is descending. */
export const ownSorts = ["id", "createdAt", "updatedAt"] as const;
type Always = (typeof ownSorts)[number];

/** Declared sort orders: the path of a field, or an array of several paths, each with `-` in front if it is descending. */
export type Sorts = readonly (string | readonly string[])[];

/** The given paths if the fields allow them. Else a text for the compiler's message. */
export type SortFor<Fields, Given> = Given extends string
  ? SortPath<Fields, Given, Given>
  : {
      readonly [Index in keyof Given]: Given[Index] extends `-${infer P}`
        ? SortPath<Fields, P, Given[Index]>
        : SortPath<Fields, Given[Index], Given[Index]>;
    };
type SortPath<Fields, P, Given> = P extends OneValue<PathTo<Fields, Scalar>> | "createdAt" | "updatedAt"
  ? Given
  : `no field "${P & string}" to sort by`;

/** The values of the query parameter `sort` for these declared orders: each of them, and its reverse. */
export type SortWord<Of extends Sorts> = Always | `-${Always}` | WordOf<Of[number]>;
type WordOf<One> = One extends string ? One | `-${One}` : One extends readonly string[] ? Joined<One> | Joined<Reversed<One>> : never;
type Joined<Paths> = Paths extends readonly [infer First extends string, ...infer Rest extends readonly string[]]
  ? Rest extends readonly []
    ? First
    : `${First},${Joined<Rest>}`
  : never;
type Reversed<Paths> = { [Index in keyof Paths]: Paths[Index] extends `-${infer P}` ? P : `-${Paths[Index] & string}` };

/** A field of a sort order. */
export interface SortKey {
  readonly path: string;
  readonly descending: boolean;
}

/** Returns the fields of a sort order: `["state", "-dueAt"]`. */
export function sortKeys(order: readonly string[]): SortKey[] {
  return order.map((word) => (word.startsWith("-") ? { path: word.slice(1), descending: true } : { path: word, descending: false }));
}

/** Returns the same fields in the opposite order. */
export function reversed(order: readonly string[]): string[] {
  return sortKeys(order).map(({ path, descending }) => (descending ? path : `-${path}`));
}

/** Maximum number of fields of an order. */
const mostKeys = 4;
/** Maximum length of text to sort by, in code points. The cursor of a page contains it. */
const longestText = 200;

/** Formats whose texts are short. */
const shortFormats = ["date-time", "date", "time", "uuid", "ipv4", "ipv6"];

/**
 * Checks the declared sort orders. Returns each as an array of its fields.
 *
 * @param record schema of the whole record.
 * @throws {TypeError} if a field does not exist or cannot be sorted by, or an order is declared twice.
 */
export function checkSorts(resource: string, record: TObject, sorts: Sorts): string[][] {
  const refuse = (what: string): never => {
    throw new TypeError(`Resource "${resource}": ${what}`);
  };
  const seen = new Set<string>(ownSorts);
  return sorts.map((declared) => {
    const order = typeof declared === "string" ? [declared] : [...declared];
    const keys = sortKeys(order);
    const text = order.join(",");
    if (typeof declared === "string" && keys[0]?.descending) refuse(`the sort order "${text}" needs no "-"; each order can be reversed.`);
    if (order.length === 0 || order.length > mostKeys) refuse(`a sort order has 1 to ${mostKeys} fields; "${text}" has ${order.length}.`);
    if (new Set(keys.map(({ path }) => path)).size < keys.length) refuse(`the sort order "${text}" names a field twice.`);
    for (const { path } of keys) refuseUnsortable(resource, record, path);
    if (seen.has(text) || seen.has(reversed(order).join(","))) refuse(`the sort order "${text}" exists already; remove it.`);
    seen.add(text);
    return order;
  });
}

function refuseUnsortable(resource: string, record: TObject, path: string): void {
  const refuse = (what: string): never => {
    throw new TypeError(`Resource "${resource}": a list cannot be sorted by "${path}"; ${what}`);
  };
  if (path === "id" || path === "version") refuse('use the sort order "id", which every list has.');
  const { types, words, format, maxLength } = pathIn(resource, record, path, "a sort order");
  const [type = ""] = types;
  if (types.length !== 1 || !["string", "number", "integer", "boolean"].includes(type))
    refuse("its values must be all text, all numbers or all booleans.");
  const isShort = words !== undefined || shortFormats.includes(format ?? "") || maxLength <= longestText;
  if (type === "string" && !isShort) refuse(`declare a maxLength of at most ${longestText} for its text.`);
}
