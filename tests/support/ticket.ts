import { Type } from "@sinclair/typebox";
import { defineResource, Nullable } from "warren/resource";
import { Catalogue } from "../../src/schema/catalogue";

/** A resource with every kind of limit that a schema can add to JSON's types. */
export const ticket = defineResource({
  name: "ticket",
  fields: {
    title: Type.String({ minLength: 1, maxLength: 20 }),
    email: Type.String({ format: "email" }),
    due: Nullable(Type.String({ format: "date-time" })),
    code: Type.Optional(Type.String({ pattern: "^\\p{Lu}.$" })),
    price: Type.Number({ minimum: 0, multipleOf: 0.01, default: 0 }),
    tags: Type.Array(Type.String({ maxLength: 10 }), { default: ["new"], maxItems: 5 }),
    place: Type.Optional(Type.Object({ site: Type.String({ format: "uri" }) }, { additionalProperties: false })),
  },
  example: { title: "Broken door", email: "ada@example.com", due: null, price: 9.99, tags: [] },
  events: { closed: { by: Type.String({ format: "email", examples: ["eve@example.com"] }), hours: Type.Number({ multipleOf: 0.25 }) } },
});

export const tickets = new Catalogue([ticket]);
