import { Type } from "@sinclair/typebox";
import { defineResource, Nullable } from "warren/resource";

/** The only resource of the simulation: the project's items, with an event that timers publish. */
export const item = defineResource({
  name: "item",
  fields: { name: Type.String({ minLength: 1 }), description: Nullable(Type.String()), price: Nullable(Type.Number({ minimum: 0 })) },
  events: { reminded: { tag: Type.String() } },
  example: { name: "Sample Item", description: null, price: 9.99 },
});

/** The note of a change in the description of an item that it sets or cancels a timer of, so that the log tells of all timers. */
export const noteOf = {
  set: (tag: string, key: string, afterMs: number) => `set ${tag} ${key} after ${afterMs}`,
  cancel: (tag: string, key: string) => `cancel ${tag} ${key}`,
};
