// Stories and their authors, with all that a resource can declare. Tests import this file, and copy it to a project: it imports only what a
// project has.
import { Type } from "@sinclair/typebox";
import { defineResource, Nullable } from "warren/resource";

export const author = defineResource({
  name: "author",
  fields: { name: Type.String({ minLength: 1, maxLength: 200 }), born: Type.Optional(Type.Integer()) },
  filters: { born: "range" },
  sort: ["name"],
  unique: ["name"],
  search: ["name"],
  events: { praised: { by: Type.String() } },
  example: { name: "Ada" },
});

export const story = defineResource({
  name: "story",
  plural: "stories",
  fields: { title: Type.String({ maxLength: 200 }), author: Nullable(Type.Integer()), text: Type.String() },
  references: { author: { to: "author", onDelete: "null" } },
  unique: [{ field: "title", within: "owner" }],
  owner: "writer",
  scope: { field: "house", claim: "org_id" },
  example: { title: "First", author: null, text: "Once." },
});
