import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

/** Counts what handlers have done, by queue and event. */
export const pot = defineResource({
  name: "pot",
  fields: { label: Type.String({ minLength: 1, maxLength: 200 }) },
  managed: {
    balance: { schema: Type.Integer(), initial: 0 },
    reminded: { schema: Type.Integer(), initial: 0 },
    counted: { schema: Type.Integer(), initial: 0 },
    ticked: { schema: Type.Integer(), initial: 0 },
  },
  example: { label: "rent" },
});
