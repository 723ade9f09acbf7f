import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

const id = Type.Integer({ minimum: 1 });

export const transfer = defineResource({
  name: "transfer",
  fields: { from: id, to: id, amount: Type.Integer({ minimum: 1 }), note: Type.String({ minLength: 1, maxLength: 200 }) },
  references: { from: { to: "account" }, to: { to: "account" } },
  example: { from: 1, to: 2, amount: 30, note: "rent" },
});
