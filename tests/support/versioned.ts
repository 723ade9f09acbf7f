import { Type } from "@sinclair/typebox";
import { defineResource, Nullable, pastVersion } from "warren/resource";

/** A resource with past versions and custom events. Three changes: the record's price, the data of `shipped`, the record's name. */
export const parcel = defineResource({
  name: "parcel",
  fields: { title: Type.String({ minLength: 1 }), price: Nullable(Type.Number()) },
  example: { title: "Books", price: 5 },
  events: { shipped: { carrier: Type.String({ examples: ["DHL"] }), tracking: Type.Optional(Type.String()) }, lost: {} },
  past: [
    pastVersion({
      fields: { name: Type.String(), cents: Type.Integer() },
      up: ({ cents, ...rest }) => ({ ...rest, price: cents / 100 }),
    }),
    pastVersion({
      event: "shipped",
      fields: { by: Type.String() },
      up: ({ by, ...rest }) => ({ ...rest, carrier: by.toUpperCase() }),
      down: ({ carrier, ...rest }) => ({ ...rest, by: String(carrier) }),
    }),
    pastVersion({
      fields: { name: Type.String(), price: Nullable(Type.Number()) },
      up({ name, ...rest }) {
        if (name === "bomb") throw new Error("no bombs");
        return { ...rest, title: name };
      },
      down: ({ title, price }) => ({ name: String(title), price: price as number }),
    }),
  ],
});
