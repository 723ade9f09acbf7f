import { Type } from "@sinclair/typebox";
import { defineResource, mistake } from "warren/resource";

/** Balance of a new account. */
export const initialBalance = 1000;

export const account = defineResource({
  name: "account",
  fields: { code: Type.String({ minLength: 1, maxLength: 200 }), owner: Type.String({ minLength: 1, maxLength: 200 }) },
  managed: { balance: { schema: Type.Integer(), initial: initialBalance } },
  unique: ["code"],
  check: ({ balance }) => (balance < 0 ? [mistake("/balance", "Must not be negative.")] : []),
  example: { code: "A-1", owner: "Ada" },
});
