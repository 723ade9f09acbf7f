// Parcels and what they refer to. Tests import this file, and copy it to a project: it imports only what a project has.
import { Type } from "@sinclair/typebox";
import { defineResource, mistake, oneOf } from "warren/resource";
export const depot = defineResource({ name: "depot", fields: { city: Type.String() }, example: { city: "Rome" } });
export const person = defineResource({
  name: "person",
  fields: { name: Type.String({ minLength: 1 }), friend: Type.Optional(Type.Integer()) },
  references: { friend: { to: "person" } },
  unique: ["name"],
  check: ({ name }) => (name === "!" ? [mistake("/name", "Not !.")] : []),
  example: { name: "Ada" },
});
export const parcel = defineResource({
  name: "parcel",
  fields: { code: Type.String({ minLength: 1 }), weight: Type.Number({ default: 1 }), depot: Type.Optional(Type.Integer()) },
  managed: { state: { schema: oneOf("waiting", "sent"), initial: "waiting" } },
  derived: { label: { schema: Type.String(), from: ({ code }) => `#${code}` } },
  unique: ["code"],
  references: { depot: { to: "depot", onDelete: "restrict" } },
  check: ({ weight }) => (weight > 100 ? [mistake("/weight", "At most 100.")] : []),
  example: { code: "A1", weight: 1 },
});
