import { Type } from "@sinclair/typebox";
import { defineResource, Nullable, type RecordOf } from "warren/resource";

export const item = defineResource({
  name: "item",
  fields: {
    name: Type.String({ minLength: 1, maxLength: 200, pattern: "\\S", description: "1 to 200 characters, not blank." }),
    description: Nullable(Type.String({ maxLength: 2000 })),
    price: Nullable(Type.Number({ minimum: 0 })),
  },
  filters: { name: "prefix", price: "range" },
  example: { name: "Sample Item", description: null, price: 9.99 },
});

export type Item = RecordOf<typeof item>;
