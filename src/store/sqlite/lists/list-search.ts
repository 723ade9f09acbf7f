import type { Resource } from "../../../schema/resource";
import { rankedAtMost, relevance } from "../../listing";
import { searchTableName } from "../changes/side-tables";
import type { Bindings } from "./list-conditions";
import type { Source } from "./list-walk";

/** The full-text search of a resource, as SQL with the parameter `$words`. */
export class Search {
  readonly #table: string;

  constructor(readonly resource: Resource) {
    this.#table = `"${searchTableName(resource.plural)}"`;
  }

  /** SQL for the ids that match. The newest matches are the ones with the greatest ids. */
  get matches(): string {
    return `SELECT rowid AS id FROM ${this.#table} WHERE ${this.#isMatch}`;
  }

  /** SQL for the ids of the newest matches, the best first. */
  get best(): string {
    const oldest = `${this.matches} ORDER BY rowid DESC LIMIT 1 OFFSET ${rankedAtMost - 1}`;
    return `${this.matches} AND rowid >= coalesce((${oldest}), 0) ORDER BY rank, rowid DESC LIMIT ${rankedAtMost}`;
  }

  /** @throws {TypeError} if the resource has no search. Code that is not type-checked may ask for it. */
  bindings(words: string | undefined): Bindings {
    if (words === undefined) return {};
    if (this.resource.search.length === 0) throw new TypeError(`The lists of "${this.resource.name}" cannot be searched.`);
    // In quotes, a word cannot be an operator of FTS5.
    const quoted = words
      .split(/\s+/)
      .filter(Boolean)
      .map((word) => `"${word.replaceAll('"', '""')}"`);
    return { words: quoted.join(" ") || '""' };
  }

  /** @throws {TypeError} if a search cannot have this order. */
  source(sort: readonly string[]): Source {
    const [order = "", ...more] = sort;
    if (more.length > 0 || !/^-?id$/.test(order)) throw new TypeError(`A search cannot be sorted by "${sort.join(",")}".`);
    return {
      from: this.#table,
      id: "rowid",
      columns: [],
      descending: order === "-id",
      where: [this.#isMatch],
      bounds: [undefined, undefined],
    };
  }

  isRanked(sort: readonly string[]): boolean {
    return sort.length === 1 && sort[0] === relevance;
  }

  get #isMatch(): string {
    return `${this.#table} MATCH $words`;
  }
}
