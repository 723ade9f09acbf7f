import { Type } from "@sinclair/typebox";
import { defineResource, oneOf } from "warren/resource";

export const payment = defineResource({
  name: "payment",
  fields: {
    order: Type.Integer({ minimum: 1 }),
    card: Type.String({ minLength: 1, maxLength: 100 }),
    cents: Type.Integer({ minimum: 0 }),
    key: Type.String({ format: "uuid" }),
  },
  managed: { state: { schema: oneOf("requested", "charged", "declined", "refunding", "refunded"), initial: "requested" } },
  references: { order: { to: "order", onDelete: "restrict" } },
  filters: { order: "exact", state: "exact" },
  owner: "account",
  example: { order: 1, card: "card_1", cents: 7980, key: "8f0b3c1e-6d5c-4b0e-9a57-3f1f2f4f9d10" },
});
