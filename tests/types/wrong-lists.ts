// Filters, sort orders and searches that must not compile. The comment before each says what the compiler has to say of the next line.
import { Type } from "@sinclair/typebox";
import { defineResource, Nullable, oneOf } from "warren/resource";
import type { ListQuery } from "../../src/crud/listing";
import type { TypesOf } from "../../src/schema/resource";

const fields = {
  state: oneOf("open", "paid"),
  note: Type.String(),
  count: Nullable(Type.Integer()),
  tags: Type.Array(Type.String()),
  address: Type.Object({ city: Type.String() }),
};
const base = {
  name: "order" as const,
  fields,
  example: { state: "open" as const, note: "", count: null, tags: [], address: { city: "" } },
};

// says: Type '"exact"' is not assignable to type '"no field \"adress.city\""'.
export const noPath = defineResource({ ...base, filters: { "adress.city": "exact" } });
// says: Type '"exact"' is not assignable to type '"contains"'.
export const arrayFilter = defineResource({ ...base, filters: { tags: "exact" } });
// says: Type '"prefix"' is not assignable to type '"range"'.
export const twoFilters = defineResource({ ...base, filters: { note: ["exact", "prefix"] } });

// says: Type '"nite"' is not assignable to type '"no field \"nite\" to sort by"'.
export const noSort = defineResource({ ...base, sort: ["nite"] });
// says: Type '"-tags"' is not assignable to type '"no field \"tags\" to sort by"'.
export const arraySort = defineResource({ ...base, sort: [["state", "-tags"]] });
// says: Type '"count"' is not assignable to type '"no text field \"count\""'.
export const noText = defineResource({ ...base, search: ["note", "count"] });

const order = defineResource({
  ...base,
  filters: { state: "exact", tags: "contains", "address.city": "exact" },
  sort: [["state", "-count"]],
  search: ["note"],
});
type Query = ListQuery<TypesOf<typeof order>>;
export const good: Query[] = [
  { state: ["open", "paid"], tags: "new", "address.city": "London", sort: "state,-count" },
  { sort: "-state,count", count: true },
  { search: "door", sort: "relevance" },
];
// says: Type '"lost"' is not assignable to type
export const value: Query = { state: ["lost"] };
// says: Type '"count,state"' is not assignable to type
export const sort: Query = { sort: "count,state" };
// says: Object literal may only specify known properties, and '"state.null"' does not exist in type
export const notNull: Query = { "state.null": true };
