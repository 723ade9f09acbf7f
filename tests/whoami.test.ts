// GET /whoami: who sends the request, and what the token allows.
import { afterEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
import whoami from "../src/built-in/whoami";
import { openApi, type TestApi } from "./support/api";
import { order } from "./support/resources";

const note = defineResource({
  name: "note",
  fields: { text: Type.String() },
  scope: { field: "org", claim: "org" },
  example: { text: "x" },
});
const routes = [{ file: "whoami.ts", path: "/whoami", route: whoami }];
const everything = ["read", "write", "admin"];

let api: TestApi;
afterEach(() => api.close());

const ask = async (token?: string) => {
  const answer = await api.send("GET", "/whoami", undefined, token === undefined ? {} : { authorization: `Bearer ${token}` });
  return answer.status === 200 ? answer.json() : answer.status;
};

test("without tokens: nobody, with all scopes", async () => {
  api = openApi({ routes });
  expect(await ask()).toEqual({ subject: null, scopes: everything, operator: true, expiresAt: null });
});

test("with tokens: the name and the scopes of each; 401 without one", async () => {
  const apiTokens = [{ token: "token-of-ada", scope: "write", name: "ada" } as const, { token: "token-of-admin", scope: "admin" } as const];
  api = openApi({ routes, config: { apiTokens } });
  expect(await ask("token-of-ada")).toEqual({ subject: "ada", scopes: ["read", "write"], operator: true, expiresAt: null });
  expect(await ask("token-of-admin")).toEqual({ subject: "admin", scopes: everything, operator: true, expiresAt: null });
  expect(await ask()).toBe(401);
});

test("with tenants, one whose token names a tenant is no operator", async () => {
  const apiTokens = [
    { token: "token-of-tenant", scope: "admin", name: "eve", claims: { org: "A" } } as const,
    { token: "token-of-admin", scope: "admin" } as const,
  ];
  api = openApi({ routes, resources: [order, note], config: { apiTokens } });
  expect(await ask("token-of-tenant")).toMatchObject({ subject: "eve", operator: false });
  expect(await ask("token-of-admin")).toMatchObject({ operator: true });
});
