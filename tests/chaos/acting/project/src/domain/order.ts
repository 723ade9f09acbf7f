import { Type } from "@sinclair/typebox";
import { defineResource, oneOf } from "warren/resource";

export const order = defineResource({
  name: "order",
  fields: {
    pot: Type.Integer({ minimum: 1 }),
    amount: Type.Integer({ minimum: 1 }),
    mark: Type.String({ minLength: 1, maxLength: 200 }),
  },
  managed: {
    state: { schema: oneOf("asked", "booked"), initial: "asked" },
    // What its last change did with a timer, so that the log tells of all timers.
    note: { schema: Type.String({ maxLength: 200 }), initial: "" },
  },
  events: { reminded: { tag: Type.String() } },
  example: { pot: 1, amount: 30, mark: "first" },
});
