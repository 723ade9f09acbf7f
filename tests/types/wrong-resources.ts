// Declarations that must not compile. The comment before each says what the compiler has to say of the next line.
import { Type } from "@sinclair/typebox";
import { defineResource, type FieldsOf, type InputOf, oneOf, type RecordOf } from "warren/resource";
import type { Store } from "../../src/store/store";

const base = { name: "order" as const, fields: { customer: Type.Integer(), note: Type.String() }, example: { customer: 1, note: "" } };
const state = { schema: oneOf("open", "paid"), initial: "open" as const };

// says: Object literal may only specify known properties, and 'nite' does not exist in type
export const example = defineResource({ ...base, example: { customer: 1, nite: "" } });

// says: Type '"prefix"' is not assignable to type '"no field \"nite\""'.
export const noField = defineResource({ ...base, filters: { nite: "prefix" } });
// says: Type '"prefix"' is not assignable to type '"exact" | "range" | Both'.
export const wrongFilter = defineResource({ ...base, filters: { customer: "prefix" } });
// says: Type '"nite"' is not assignable to type '"note"'.
export const noIndex = defineResource({ ...base, filters: { note: "prefix" }, indexes: ["nite"] });

// says: Did you mean '"customer"'?
export const uniqueField = defineResource({ ...base, unique: ["custmer"] });
// says: Type '"nite"' is not assignable to type
export const uniqueFields = defineResource({ ...base, unique: [["customer", "nite"]] });
// says: Type '"nite"' is not assignable to type
export const uniqueWithoutCase = defineResource({ ...base, unique: [{ field: "nite", ignoreCase: true }] });

// says: Type '{ to: string; }' is not assignable to type '"no integer field \"custmer\""'.
export const referenceField = defineResource({ ...base, references: { custmer: { to: "customer" } } });
// says: Type '{ to: string; }' is not assignable to type '"no integer field \"note\""'.
export const referenceType = defineResource({ ...base, references: { note: { to: "customer" } } });
// says: Type '"delete"' is not assignable to type 'OnDelete'.
export const referenceAction = defineResource({ ...base, references: { customer: { to: "customer", onDelete: "delete" } } });
const lined = { name: "order" as const, fields: { lines: Type.Array(Type.Object({ product: Type.Integer() })) }, example: { lines: [] } };
// says: Type '"null"' is not assignable to type '"cascade" | "restrict"'.
export const referenceNull = defineResource({ ...lined, references: { "lines[].product": { to: "product", onDelete: "null" } } });

// says: Type '"lost"' is not assignable to type '"open" | "paid"'.
export const initial = defineResource({ ...base, managed: { state: { schema: oneOf("open", "paid"), initial: "lost" } } });
// says: Property 'cutsomer' does not exist on type 'Flat<{ customer: number; note: string; }>'. Did you mean 'customer'?
export const derivedFrom = defineResource({ ...base, derived: { total: { schema: Type.Number(), from: (order) => order.cutsomer } } });
// says: Type 'string' is not assignable to type 'number'.
export const derivedAs = defineResource({ ...base, derived: { total: { schema: Type.Number(), from: (order) => order.note } } });

// says: Property 'cutsomer' does not exist on type
export const checkField = defineResource({ ...base, check: (order) => (order.cutsomer === 1 ? [] : []) });
// says: This comparison appears to be unintentional because the types '"open" | "paid"' and '"lost"' have no overlap.
export const checkValue = defineResource({ ...base, managed: { state }, check: (order) => (order.state === "lost" ? [] : []) });
// says: Type '() => Promise<never[]>' is not assignable to type 'Rule<
export const checkAsync = defineResource({ ...base, check: async () => [] });

const order = defineResource({
  ...base,
  managed: { state },
  derived: { total: { schema: Type.Number(), from: ({ customer }) => customer } },
});
declare const store: Store;

// says: Property 'note' is missing in type '{ customer: number; }'
export const insert = () => store.insert(order, { customer: 1 });
// says: Type '"lost"' is not assignable to type '"open" | "paid"'.
export const insertState = () => store.insert(order, { customer: 1, note: "", state: "lost" });
// says: Object literal may only specify known properties, and 'total' does not exist in type
export const insertDerived = () => store.insert(order, { customer: 1, note: "", total: 1 });

// says: Property 'state' does not exist on type
export const input = (given: InputOf<typeof order>) => given.state;
// says: Property 'id' does not exist on type
export const fields = (given: FieldsOf<typeof order>) => given.id;
// says: Property 'tota' does not exist on type
export const record = (given: RecordOf<typeof order>) => given.tota;
