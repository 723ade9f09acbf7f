import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

export const product = defineResource({
  name: "product",
  fields: {
    sku: Type.String({ pattern: "^[A-Z0-9-]{3,20}$" }),
    title: Type.String({ minLength: 1, maxLength: 200 }),
    price: Type.Number({ minimum: 0, multipleOf: 0.01 }),
    stock: Type.Integer({ minimum: 0 }),
  },
  unique: ["sku"],
  filters: { sku: "exact", price: "range" },
  sort: ["price", "title"],
  search: ["title"],
  read: "anyone",
  write: "admin",
  example: { sku: "LAMP-1", title: "Desk lamp", price: 39.9, stock: 12 },
});
