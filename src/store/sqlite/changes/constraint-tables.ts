import type { Database } from "bun:sqlite";
import { checkTargets } from "../../../schema/references";
import type { Resource } from "../../../schema/resource";
import type { OnBuilt } from "../../broken-declarations";
import { Constraints } from "../../changes/constraints";
import type { CurrentRecords } from "../../changes/current-records";
import { elementPaths } from "../../list-indexes";
import type { GroupCommit } from "../commit/group-commit";
import { ElementTable } from "./element-table";
import type { PendingTables } from "./pending-entries";
import { ReferenceTable } from "./reference-table";
import { SearchTable } from "./search-table";
import { mergeJournal, SideJournal } from "./side-journal";
import { keepSideTables } from "./side-tables";
import { UniqueTable } from "./unique-table";

interface Means {
  readonly commits: GroupCommit;
  readonly pending: PendingTables;
  readonly onBuilt: OnBuilt;
  /** Number of record changes in the journal at which it is merged. */
  readonly journalAtMost?: number | undefined;
}

/**
 * Returns the constraints of resources, with the journal of their tables. Builds the tables that are new, and drops those that are no
 * longer declared.
 *
 * @throws {Error} if a reference leads to a resource that is not there, or stored records break a declaration.
 */
export function constraintsIn(
  db: Database,
  resources: readonly Resource[],
  records: ReadonlyMap<string, CurrentRecords>,
  { commits, pending, onBuilt, journalAtMost }: Means,
): { readonly constraints: Constraints; readonly journal: SideJournal } {
  checkTargets(resources);
  const { uncommitted } = commits;
  const recordsOf = (name: string) => records.get(name) as CurrentRecords;
  const own = resources.map((resource) => ({
    name: resource.name,
    unique: resource.unique.map((key) => new UniqueTable(db, uncommitted, resource, key, pending)),
    references: resource.references.map((reference) => {
      const both = { own: recordsOf(resource.name), to: recordsOf(reference.to) };
      return new ReferenceTable(db, uncommitted, reference, both, pending);
    }),
    elements: elementPaths(resource).map((path) => new ElementTable(uncommitted, resource, path)),
    search: resource.search.length > 0 ? [new SearchTable(uncommitted, resource)] : [],
  }));
  const side = own.flatMap(({ unique, references }) => [...unique, ...references]);
  mergeJournal(db);
  keepSideTables(db, [...side, ...own.flatMap(({ elements }) => elements)], onBuilt);
  const journal = new SideJournal(commits, side, journalAtMost);
  const entries = new Map(
    own.map(({ name, unique, references, elements, search }) => [name, { unique, references, derived: [...elements, ...search] }]),
  );
  return { constraints: new Constraints(entries, (changes) => journal.add(changes)), journal };
}
