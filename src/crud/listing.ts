import type { TUnsafe } from "@sinclair/typebox";
import { invalid } from "../http/mistakes";
import { flag, limit, type Parameter, querySchema, readQuery, searchOf, text, word } from "../http/query";
import type { FilterQuery } from "../schema/filter";
import type { Mistake } from "../schema/mistakes";
import type { Resource, ResourceTypes } from "../schema/resource";
import { ownSorts, reversed } from "../schema/sort";
import { parseTime } from "../schema/time";
import { countAtMost, type Listing, type Page, rankedAtMost, relevance } from "../store/listing";
import { readCursor, writeCursor } from "./cursor";
import { type ExpandQuery, expandParameter } from "./expand";
import { filterParameters } from "./filter-parameters";

/** The query parameters of a list request. */
export type ListQuery<T extends ResourceTypes> = {
  limit?: number | string;
  sort?: T["sorts"] | (T["isSearchable"] extends true ? typeof relevance : never);
  after?: string | number;
  updatedSince?: string;
  count?: boolean | "true" | "false";
} & (T["isSearchable"] extends true ? { search?: string } : object) &
  FilterQuery<T["filters"], T["fields"]>;

/** A parsed list request. */
export interface Request {
  /** The query for the store. */
  readonly listing: Listing;
  /** The paths of the references to expand. */
  readonly expand: readonly string[];
  /** Returns the `next` field and the `Link` header (RFC 8288) of the response. */
  links(page: Pick<Page, "next">, path: string): { next: string | null; link: string };
}

/** A cursor holds the fields that the list is sorted by: up to four texts of 200 characters, each of which JSON may escape. */
const cursorForm = /^[A-Za-z0-9_-]{1,8000}$/;

const own = {
  after: {
    description: "The `next` of the previous page, with the same sort order and filters. When sorted by id, an id is also accepted.",
    // Some tools do not allow so many repetitions in a pattern.
    documented: { type: "string", pattern: "^[A-Za-z0-9_-]+$", maxLength: 8000 },
    read: (given) => (cursorForm.test(given) ? given : undefined),
  },
  updatedSince: {
    description:
      "Only records changed at or after this time: a day such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z. UTC unless it has an offset.",
    documented: { type: "string", examples: ["2026-11-01T08:00:00Z"] },
    read: (given) => parseTime(given, "utc")?.toISOString(),
  },
  count: flag(`\`true\` or \`false\`: whether to count the records of the whole list, exactly up to ${countAtMost}.`),
} satisfies Record<string, Parameter<unknown>>;

/** Returns the documented schema and the reader of a resource's list queries. */
export function listOf<T extends ResourceTypes>(resource: Resource<T>) {
  const { name, sorts, search } = resource;
  const orders = [...ownSorts.map((key) => [key]), ...sorts].flatMap((order) => [order.join(","), reversed(order).join(",")]);
  const all = search.length > 0 ? [...orders, relevance] : orders;
  const filters = filterParameters(resource);
  const parameters = {
    limit,
    sort: word(all, `${sortText(all)}${search.length > 0 ? searchSorts : " Default: id."}`, search.length > 0 ? undefined : "id"),
    ...own,
    ...expandParameter(resource),
    ...(search.length > 0 && { search: searchWords(search) }),
    ...filters.parameters,
  };

  return {
    schema: querySchema(parameters) as TUnsafe<ListQuery<T> & ExpandQuery<T>>,

    /**
     * Reads the query of a URL.
     *
     * @throws {HttpProblem} 422 with every mistake in the query.
     */
    read(url: string): Request {
      const query: Query = readQuery(url, parameters);
      const { limit: most = 50, search: words, after, updatedSince, count = false, expand = [] } = query;
      const asked = query.sort ?? (words === undefined ? "id" : "-id");
      if (!fits(asked, words)) throw invalid("query", [wrongSort]);
      const sort = asked.split(",");
      const chosen = { updatedSince, filters: filters.conditionsIn(query), search: words };
      const list = JSON.stringify([name, asked, chosen]);
      const place = after === undefined ? undefined : placeIn(after, list, sort);
      if (place === null) throw invalid("query", [wrongPlace]);
      return {
        listing: { limit: most, sort, after: place, count, ...chosen },
        expand,
        links(page, path) {
          const next = page.next && writeCursor(page.next, list);
          const rest = searchOf(url);
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

interface Query {
  readonly limit?: number;
  readonly sort?: string;
  readonly after?: string;
  readonly updatedSince?: string;
  readonly count?: boolean;
  readonly search?: string;
  readonly expand?: readonly string[];
  readonly [filter: string]: unknown;
}

const searchSorts =
  ` With \`search\`, only -id, id and ${relevance}, which is one page of the best among the newest ${rankedAtMost} matches.` +
  " Default: id, but -id with `search`.";

function sortText(sorts: readonly string[]): string {
  return `Sort order: ${sorts.join("; ")}. The prefix - means descending.`;
}

function searchWords(fields: readonly string[]): Parameter<string> {
  return text(
    200,
    `Only records with all of these words in ${fields.join(" or ")}, at most 200 characters. Case and accents do not matter.`,
  );
}

/** Returns whether a search, or a list without one, can have this order. */
function fits(sort: string, search: string | undefined): boolean {
  return search === undefined ? sort !== relevance : ["id", "-id", relevance].includes(sort);
}

const wrongSort: Mistake = {
  pointer: "/sort",
  detail: `Expected -id, id or ${relevance} with \`search\`, and no ${relevance} without it.`,
};

const wrongPlace: Mistake = {
  pointer: "/after",
  detail: "Expected the `next` of a page with the same sort order and filters.",
};

/** Returns the place for an `after` parameter, or null if it is not valid for this list. */
function placeIn(after: string, list: string, sort: readonly string[]): Listing["after"] | null {
  const isById = /^-?id$/.test(sort.join());
  if (!/^(0|[1-9][0-9]*)$/.test(after)) return readCursor(after, list, isById ? 0 : sort.length) ?? null;
  return isById && after.length <= 15 ? { keys: [], id: Number(after) } : null;
}
