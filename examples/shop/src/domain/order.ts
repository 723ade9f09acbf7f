import { Type } from "@sinclair/typebox";
import { defineResource, mistake, oneOf } from "warren/resource";

const line = Type.Object(
  { product: Type.Integer({ minimum: 1 }), quantity: Type.Integer({ minimum: 1, maximum: 100 }) },
  { additionalProperties: false },
);

export const order = defineResource({
  name: "order",
  fields: { customer: Type.Integer({ minimum: 1 }), lines: Type.Array(line, { minItems: 1, maxItems: 100 }) },
  managed: { state: { schema: oneOf("placed", "reserved", "paid", "cancelled"), initial: "placed" } },
  references: { customer: { to: "customer", onDelete: "restrict" }, "lines[].product": { to: "product", onDelete: "restrict" } },
  filters: { state: "exact", customer: "exact" },
  owner: "account",
  check(order, { previous }) {
    const isFinal = previous?.state === "paid" || previous?.state === "cancelled";
    return isFinal && order.state !== previous.state ? [mistake("/state", `A ${previous.state} order stays so.`)] : [];
  },
  events: { paid: { payment: Type.String() } },
  example: { customer: 1, lines: [{ product: 1, quantity: 2 }] },
});
