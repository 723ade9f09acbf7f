import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

export const customer = defineResource({
  name: "customer",
  fields: {
    email: Type.String({ format: "email", maxLength: 200 }),
    name: Type.String({ minLength: 1, maxLength: 200 }),
  },
  unique: [{ field: "email", ignoreCase: true }],
  owner: "account",
  example: { email: "ada@example.com", name: "Ada" },
});
