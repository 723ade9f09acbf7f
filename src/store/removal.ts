import { Conflict } from "../schema/refused-change";
import type { Resource } from "../schema/resource";

/** Maximum number of other records that one deletion deletes or changes. */
export const maxAffected = 1000;

/** Identifies a record. */
interface One {
  readonly resource: Resource;
  readonly id: number;
}

/** A record that refers to one that is to be deleted, and the path of the field in which it does. */
export interface Referrer extends One {
  readonly path: string;
  readonly onDelete: "cascade" | "null";
}

/** The deletion of a record, with its consequences for the records that refer to it. */
export interface Removal {
  /** The records in which fields become null. */
  readonly nulled: readonly (One & { readonly paths: readonly string[] })[];
  /** The records to delete. Each comes before those that it refers to, as far as they do not refer to each other in a circle. */
  readonly removed: readonly One[];
}

/**
 * Returns what the deletion of a record affects. It changes nothing.
 *
 * @param referrersOf returns the records that refer to a record and that its deletion deletes or changes.
 * @throws {Conflict} if it affects more than {@link maxAffected} other records.
 */
export function planRemoval(root: One, referrersOf: (record: One) => Iterable<Referrer>): Removal {
  const nameOf = ({ resource, id }: One) => `${resource.name}/${id}`;
  const removed = new Map([[nameOf(root), root]]);
  const nulled = new Map<string, One & { paths: string[] }>();
  const children = new Map<string, One[]>();
  // A Map's iterator also visits what is added on the way, so this goes breadth-first.
  for (const [name, record] of removed) {
    const own: One[] = [];
    children.set(name, own);
    for (const referrer of referrersOf(record)) {
      const { resource, id, path, onDelete } = referrer;
      const key = nameOf(referrer);
      if (onDelete === "cascade") {
        own.push({ resource, id });
        nulled.delete(key);
        if (!removed.has(key)) removed.set(key, { resource, id });
      } else if (!removed.has(key)) {
        const known = nulled.get(key) ?? { resource, id, paths: [] };
        known.paths.push(path);
        nulled.set(key, known);
      }
      if (removed.size - 1 + nulled.size > maxAffected) throw tooMany(root);
    }
  }
  return { nulled: [...nulled.values()], removed: childrenFirst(root, (record) => children.get(nameOf(record)) ?? [], nameOf) };
}

function childrenFirst(root: One, childrenOf: (record: One) => readonly One[], nameOf: (record: One) => string): One[] {
  const order: One[] = [];
  const seen = new Set<string>();
  const visit = (record: One) => {
    if (seen.has(nameOf(record))) return;
    seen.add(nameOf(record));
    for (const child of childrenOf(record)) visit(child);
    order.push(record);
  };
  visit(root);
  return order;
}

function tooMany({ resource: { name } }: One): Conflict {
  return new Conflict(
    `The ${name} cannot be deleted at once, because more than ${maxAffected.toLocaleString("en-US")} records refer to it, directly or through others. ` +
      "Delete or change some of them first.",
  );
}
