import { Type } from "@sinclair/typebox";
import { defineResource, Nullable } from "warren/resource";
import { item } from "../../src/domain/item";
import { Catalogue } from "../../src/schema/catalogue";

/** A second resource, with features that `item` lacks: nested objects, a list, a default, and lists with more to ask for. */
export const order = defineResource({
  name: "order",
  exchange: "sales",
  fields: {
    customer: Type.String({ minLength: 1, maxLength: 200 }),
    lines: Type.Array(
      Type.Object({ item: Type.Integer({ minimum: 1 }), quantity: Type.Integer({ minimum: 1 }) }, { additionalProperties: false }),
      { minItems: 1 },
    ),
    address: Type.Object({ street: Type.String(), city: Type.String(), door: Nullable(Type.String()) }, { additionalProperties: false }),
    recipient: Nullable(Type.Object({ name: Type.String(), phone: Nullable(Type.String()) }, { additionalProperties: false })),
    state: Type.Union([Type.Literal("open"), Type.Literal("paid")], { default: "open" }),
  },
  filters: { state: "exact", customer: "prefix", "recipient.phone": "exact" },
  sort: ["customer", ["state", "-createdAt"]],
  search: ["customer", "address.street"],
  example: {
    customer: "Ada",
    lines: [{ item: 1, quantity: 2 }],
    address: { street: "Main 1", city: "London", door: null },
    recipient: null,
    state: "open",
  },
});

export const catalogue = new Catalogue([item, order]);
