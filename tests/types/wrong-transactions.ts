// Calls of a transaction that must not compile. The comment before each says what the compiler has to say of the next line.
import { Type } from "@sinclair/typebox";
import { defineResource, oneOf } from "warren/resource";
import type { Transaction } from "warren/route";

const order = defineResource({
  name: "order",
  fields: { customer: Type.Integer(), note: Type.String() },
  managed: { state: { schema: oneOf("placed", "paid"), initial: "placed" } },
  filters: { customer: "exact", note: "prefix", state: "exact" },
  indexes: ["customer"],
  events: { paid: { payment: Type.String() } },
  example: { customer: 1, note: "" },
});
declare const tx: Transaction;

export const fine = async () => {
  const { id, state } = await tx.insert(order, { customer: 1, note: "" });
  const placed: "placed" | "paid" = state;
  await tx.update(order, id, { note: placed }, { emit: { paid: { payment: "x" } }, guard: ({ version }) => void version });
  await tx.update(order, id, ({ customer }) => ({ customer: customer + 1, state: "paid" }));
  await tx.update(order, id, (order) => ({ ...order, state: "paid" }));
  const last: string | undefined = (await tx.get(order, id))?.note;
  const open: number[] = (await tx.list(order, { customer: 7, state: "placed" })).map(({ customer }) => customer);
  return [open, last, (await tx.read(order, id)).state, (await tx.remove(order, id)).version];
};

// says: Type '"paid"' is not assignable to type '"no field \"stat\""'.
export const noField = () => tx.update(order, 1, { stat: "paid" });
// says: '"no field \"stat\""'
export const noFieldReturned = () => tx.update(order, 1, () => ({ stat: "paid" }));
// says: '"payd"' is not assignable to type
export const wrongValue = () => tx.update(order, 1, { state: "payd" });
// says: Property 'note' is missing in type '{ customer: number; }'
export const missing = () => tx.insert(order, { customer: 1 });
// says: 'payd' does not exist in type
export const noEvent = () => tx.update(order, 1, {}, { emit: { payd: {} } });
// says: 'note' does not exist in type
export const noExact = () => tx.list(order, { note: "x" });
// says: Type 'string' is not assignable to type 'number'.
export const wrongExact = () => tx.list(order, { customer: "7" });
// says: Object is possibly 'undefined'.
export const perhaps = async () => (await tx.get(order, 1)).note;
