// Actions that must not compile. The comment before each says what the compiler has to say of the next line.
import { Type } from "@sinclair/typebox";
import { action, Conflict } from "warren/action";
import { defineResource, oneOf } from "warren/resource";

const order = defineResource({
  name: "order",
  fields: { customer: Type.Integer(), note: Type.String() },
  managed: { state: { schema: oneOf("placed", "paid"), initial: "placed" } },
  derived: { total: { schema: Type.Number(), from: ({ customer }) => customer } },
  events: { paid: { payment: Type.String() }, expired: {} },
  example: { customer: 1, note: "" },
});
const body = Type.Object({ payment: Type.String() });

export const fine = action(order, {
  body,
  change(order, { payment }, { actor }) {
    if (order.state !== "placed") throw new Conflict(`${payment} ${actor?.subject}`);
    return { state: "paid" };
  },
  emit: { paid: ({ payment }) => ({ payment }), expired: () => ({}) },
});
export const wholeRecord = action(order, { change: (order) => ({ ...order, state: "paid" }) });
export const several = action(order, { change: ({ note }) => (note === "" ? { note: "-" } : { state: "paid", note: "" }) });
export const onlyEmits = action(order, { emit: { expired: () => ({}) } });
export const inTransaction = action(order, {
  body,
  async transaction(tx, { customer }, { payment }, { actor }) {
    const other = await tx.insert(order, { customer, note: `${payment} ${actor?.subject}` });
    return { state: other.state === "placed" ? "paid" : "placed" };
  },
  emit: { paid: ({ payment }) => ({ payment }) },
});

// says: Type '"paid"' is not assignable to type '"no field \"stat\""'.
export const noField = action(order, { change: () => ({ stat: "paid" }) });
// says: Type '"payd"' is not assignable to type
export const wrongValue = action(order, { change: () => ({ state: "payd" }) });
// says: Type '"x"' is not assignable to type '"no field \"nte\""'.
export const oneField = action(order, { change: () => ({ state: "paid", nte: "x" }) });
// says: Property 'payment' is missing in type '{ paymnt: string; }'
export const wrongData = action(order, { change: () => ({ state: "paid" }), emit: { paid: () => ({ paymnt: "x" }) } });
// says: 'payd' does not exist in type
export const noEvent = action(order, { change: () => ({ state: "paid" }), emit: { payd: () => ({}) } });
// says: Property 'custmer' does not exist on type
export const noRead = action(order, { change: (order) => (order.custmer ? {} : {}) });
// says: Property 'paymnt' does not exist on type '{ payment: string; }'.
export const noBodyField = action(order, { body, change: (_, { paymnt }) => ({ note: paymnt }) });
// says: Property 'payment' does not exist on type 'undefined'.
export const noBody = action(order, { change: (_, { payment }) => ({ note: payment }) });
// says: Promise<
export const isAsync = action(order, { change: async () => ({ state: "paid" }) });
// says: Type '"paid"' is not assignable to type '"no field \"stat\""'.
export const noFieldAfter = action(order, { transaction: async () => ({ stat: "paid" }) });
// says: Type '{ state: string; }' is missing the following properties from type 'Promise<
export const isSync = action(order, { transaction: () => ({ state: "paid" }) });
