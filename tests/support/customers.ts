// Customers and what refers to them. Tests import this file, and copy it to a project: it imports only what a project has.
import { Type } from "@sinclair/typebox";
import { defineResource, Nullable } from "warren/resource";
export const customer = defineResource({
  name: "customer",
  fields: { email: Type.String(), notes: Type.String({ default: "" }) },
  unique: ["email"],
  search: ["notes"],
  events: { greeted: { words: Type.String() } },
  example: { email: "ada@example.com", notes: "" },
});
export const purchase = defineResource({
  name: "purchase",
  fields: { customer: Type.Integer(), address: Type.String() },
  references: { customer: { to: "customer", onDelete: "cascade" } },
  example: { customer: 1, address: "a" },
});
export const badge = defineResource({
  name: "badge",
  fields: { customer: Nullable(Type.Integer()) },
  references: { customer: { to: "customer", onDelete: "null" } },
  example: { customer: null },
});
