import type { Resource } from "../../../schema/resource";
import type { Listing, Page } from "../../listing";
import type { Queries } from "../connection/queries";
import type { StoredRow } from "../records/stored-row";
import type { Slots } from "../slots/slots";
import { Pages } from "./pages";

/** The lists of all resources. */
export class Lists {
  readonly #pages: ReadonlyMap<string, Pages>;

  constructor(
    readonly queries: Queries,
    slots: Slots,
    resources: readonly Resource[],
  ) {
    this.#pages = new Map(resources.map((resource) => [resource.name, new Pages(resource, slots)]));
  }

  /** Reads a page, as last committed. */
  readonly list = async (resource: Resource, listing: Listing): Promise<Page> => this.#of(resource).read(this.queries, listing);

  /** Reads the records that have some values, on any connection. See {@link Pages.matching}. */
  async matching(queries: Queries, resource: Resource, where: object, limit: number): Promise<readonly StoredRow[] | null> {
    return this.#of(resource).matching(queries, where, limit);
  }

  #of({ name }: Resource): Pages {
    const pages = this.#pages.get(name);
    if (!pages) throw new Error(`The store was opened without the resource "${name}"; export it from a file in src/domain/.`);
    return pages;
  }
}
