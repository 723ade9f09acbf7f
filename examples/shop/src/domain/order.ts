import { Type } from "@sinclair/typebox";
import { defineResource, mistake, Nullable, oneOf } from "warren/resource";

const id = Type.Integer({ minimum: 1 });
const line = Type.Object({ product: id, quantity: Type.Integer({ minimum: 1, maximum: 100 }) }, { additionalProperties: false });

export const order = defineResource({
  name: "order",
  fields: { customer: id, lines: Type.Array(line, { minItems: 1, maxItems: 100 }) },
  managed: {
    reserved: { schema: Type.Boolean(), initial: false },
    paid: { schema: Type.Boolean(), initial: false },
    cancelled: { schema: Type.Boolean(), initial: false },
    payment: { schema: Nullable(id), initial: null },
  },
  derived: {
    state: {
      schema: oneOf("open", "confirmed", "cancelled"),
      from: ({ reserved, paid, cancelled }) => (cancelled ? "cancelled" : reserved && paid ? "confirmed" : "open"),
    },
  },
  references: {
    customer: { to: "customer", onDelete: "restrict" },
    "lines[].product": { to: "product", onDelete: "restrict" },
    payment: { to: "payment", onDelete: "restrict" },
  },
  filters: { state: "exact", customer: "exact" },
  owner: "account",
  check(order, { previous }) {
    const isFinal = previous !== undefined && previous.state !== "open";
    return isFinal && order.state !== previous.state ? [mistake("/state", `A ${previous.state} order stays so.`)] : [];
  },
  events: { expired: {} },
  example: { customer: 1, lines: [{ product: 1, quantity: 2 }] },
});
