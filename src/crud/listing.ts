import type { TUnsafe } from "@sinclair/typebox";
import { invalid } from "../http/mistakes";
import { limit, type Parameter, querySchema, readQuery, word } from "../http/query";
import { type Filter, type FilterQuery, type Filters, parametersOf } from "../schema/filter";
import type { Mistake } from "../schema/mistakes";
import type { Resource, ResourceTypes } from "../schema/resource";
import { parseTime } from "../schema/time";
import { type Listing, type Page, type SortKey, sortKeys } from "../store/listing";
import { readCursor, writeCursor } from "./cursor";

export type Sort = SortKey | `-${SortKey}`;

/** The query parameters of a list request. */
export type ListQuery<By extends Filters> = {
  limit?: number | string;
  sort?: Sort;
  after?: string | number;
  updatedSince?: string;
} & FilterQuery<By>;

/** A parsed list request. */
export interface Request {
  /** The query for the store. */
  readonly listing: Listing;
  /** Returns the `next` field and the `Link` header (RFC 8288) of the response. */
  links(page: Page, path: string): { next: string | null; link: string };
}

const sorts: readonly Sort[] = sortKeys.flatMap((key) => [key, `-${key}`] as const);

const cursorForm = /^[A-Za-z0-9_-]{1,200}$/;

const own = {
  limit,
  sort: word(sorts, `Sort order: ${sorts.join(", ")}. The prefix - means descending. Default: id.`, "id"),
  after: {
    description: "The `next` of the previous page, with the same sort order and filters. When sorted by id, an id is also accepted.",
    documented: { type: "string", pattern: cursorForm.source },
    read: (text) => (cursorForm.test(text) ? text : undefined),
  },
  updatedSince: {
    description:
      "Only records changed at or after this time: a day such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z. UTC unless it has an offset.",
    documented: { type: "string", examples: ["2026-11-01T08:00:00Z"] },
    read: (text) => parseTime(text, "utc")?.toISOString(),
  },
} satisfies Record<string, Parameter<unknown>>;

/** Returns the documented schema and the reader of a resource's list queries. */
export function listOf<T extends ResourceTypes>({ name, filters }: Resource<T>) {
  const parameters: typeof own & Record<string, Parameter<unknown>> = { ...own };
  for (const [field, filter] of Object.entries<Filter | undefined>(filters)) {
    const [first = "", last = ""] = parametersOf(field, filter);
    if (filter === "prefix") parameters[first] = prefix(field);
    else {
      parameters[first] = bound(`Only records whose ${field} is at least this number.`);
      parameters[last] = bound(`Only records whose ${field} is at most this number.`);
    }
  }

  function filtersIn(query: Record<string, unknown>): NonNullable<Listing["filters"]> {
    const given = Object.entries<Filter | undefined>(filters).map(([field, filter]) => {
      const [first, last] = parametersOf(field, filter).map((parameter) => query[parameter]);
      if (first === undefined && last === undefined) return [];
      return [[field, filter === "prefix" ? { prefix: first as string } : { min: first as number, max: last as number }] as const];
    });
    return Object.fromEntries(given.flat());
  }

  return {
    schema: querySchema(parameters) as TUnsafe<ListQuery<T["filters"]>>,

    /**
     * Reads the query of a URL.
     *
     * @throws {HttpProblem} 422 with every mistake in the query.
     */
    read(url: string): Request {
      const query = readQuery(url, parameters);
      const { limit: most = 50, sort: asked = "id", after, updatedSince } = query;
      const descending = asked.startsWith("-");
      const sort = (descending ? asked.slice(1) : asked) as SortKey;
      const chosen = { updatedSince, filters: filtersIn(query) };
      const list = JSON.stringify([name, asked, chosen]);
      const place = after === undefined ? undefined : placeIn(after, list, sort);
      if (place === null) throw invalid("query", [wrongPlace]);
      return {
        listing: { limit: most, sort, descending, after: place, ...chosen },
        links(page, path) {
          const next = page.next && writeCursor(page.next, list);
          const rest = new URLSearchParams(/\?(.*)/s.exec(url)?.[1]);
          rest.delete("after");
          const start = rest.size === 0 ? path : `${path}?${rest}`;
          const first = `<${start}>; rel="first"`;
          if (next === null) return { next, link: first };
          return { next, link: `<${start}${rest.size === 0 ? "?" : "&"}after=${next}>; rel="next", ${first}` };
        },
      };
    },
  };
}

const wrongPlace: Mistake = {
  pointer: "/after",
  detail: "Expected the `next` of a page with the same sort order and filters.",
};

/** Returns the place for an `after` parameter, or null if it is not valid for this list. */
function placeIn(after: string, list: string, sort: SortKey): Listing["after"] | null {
  if (!/^(0|[1-9][0-9]*)$/.test(after)) return readCursor(after, list) ?? null;
  const id = Number(after);
  return sort === "id" && after.length <= 15 ? { key: id, id } : null;
}

function prefix(field: string): Parameter<string> {
  return {
    description: `Only records whose ${field} starts with this text. Case-sensitive; there are no wildcards.`,
    documented: { type: "string", maxLength: 1000 },
    read: (text) => (Array.from(text).length <= 1000 ? text : undefined),
  };
}

function bound(description: string): Parameter<number> {
  return {
    description,
    documented: { type: "number" },
    read: (text) => {
      const value = /^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?$/.test(text) ? Number(text) : Number.NaN;
      return Number.isFinite(value) ? value : undefined;
    },
  };
}
