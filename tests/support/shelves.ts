// Books that get a place on a shelf: resources for handlers that change others, and the deliveries of their events.
import { Type } from "@sinclair/typebox";
import { defineResource, mistake, oneOf } from "warren/resource";
import type { Task } from "../../src/delivery/delivery";
import { Catalogue } from "../../src/schema/catalogue";
import { parseEvent } from "../../src/schema/event";
import type { Store } from "../../src/store/store";

export const shelf = defineResource({
  name: "shelf",
  fields: { room: Type.String(), free: Type.Integer({ minimum: 0 }) },
  unique: ["room"],
  example: { room: "A", free: 3 },
});

export const book = defineResource({
  name: "book",
  fields: { title: Type.String(), shelf: Type.Optional(Type.Integer({ minimum: 1 })) },
  managed: { state: { schema: oneOf("new", "placed", "refused"), initial: "new" } },
  references: { shelf: { to: "shelf", onDelete: "restrict" } },
  filters: { state: "exact" },
  indexes: ["state"],
  check: ({ title }) => (title === "" ? [mistake("/title", "A book has a title.")] : []),
  events: { expired: {} },
  example: { title: "Emma" },
});

export const library = [shelf, book];
export const libraryCatalogue = new Catalogue(library);

/** The event that a handler gets. */
export interface BookCreated {
  readonly book: { readonly id: number };
}

const origin = { id: undefined, traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` } as unknown as Task["delivery"]["origin"];

/** Returns the delivery of the event that created a book. */
export async function deliveryOfBook(store: Store, id: number, more: Partial<Task["delivery"]> = {}, depth?: number): Promise<Task> {
  const entry = (await store.log.read(0, 1000)).find(({ type, subject }) => type === "book.created" && subject === id);
  const parsed = parseEvent(entry?.body ?? "", libraryCatalogue);
  if (!parsed.ok) throw new Error(parsed.detail);
  const delivery = { body: "", failures: 0, suspect: false, replay: "no", origin, gone: false, settle() {}, ...more } as const;
  return { event: { ...parsed.event, ...(depth !== undefined && { depth }) }, key: `book:${id}`, delivery };
}

/** Returns a record as it is now. Null if it does not exist. */
export async function recordIn(store: Store, resource: typeof shelf | typeof book, id: number) {
  return JSON.parse((await store.get(resource as never, id))?.json ?? "null");
}
