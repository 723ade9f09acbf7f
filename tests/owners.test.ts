// `owner`, `scope`, `read` and `write` of a resource: what is filled in, who may do what, and what it says to those who may not.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { crud } from "warren/crud";
import { defineResource, Nullable } from "warren/resource";
import { defineRoute } from "warren/route";
import { openApi, type TestApi } from "./support/api";
import { audience, type Claims, type TestIssuer, testIssuer } from "./support/issuer";

const customer = defineResource({
  name: "customer",
  fields: { email: Type.String({ format: "email", maxLength: 200 }) },
  filters: { account: "exact" },
  sort: ["email"],
  unique: ["email"],
  owner: "account",
  example: { email: "ada@example.com" },
});
const order = defineResource({
  name: "order",
  fields: { customer: Nullable(Type.Integer()), title: Type.String() },
  managed: { state: { schema: Type.String(), initial: "placed" } },
  derived: { label: { schema: Type.String(), from: ({ title, account }) => `${title} of ${account ?? "nobody"}` } },
  references: { customer: { to: "customer", onDelete: "null" } },
  unique: [{ field: "title", within: "owner" }],
  owner: "account",
  example: { customer: null, title: "First" },
});
const product = defineResource({
  name: "product",
  fields: { sku: Type.String(), price: Type.Number() },
  read: "anyone",
  write: "catalogue",
  example: { sku: "LAMP-1", price: 39.9 },
});
const review = defineResource({
  name: "review",
  fields: { text: Type.String() },
  owner: "author",
  read: "anyone",
  example: { text: "Bright." },
});
const invoice = defineResource({
  name: "invoice",
  fields: { number: Type.String({ maxLength: 100 }) },
  scope: { field: "tenant", claim: "org_id" },
  unique: ["number"],
  sort: ["number"],
  example: { number: "2026-1" },
});

const own = defineRoute(({ storeFor, system }) =>
  new Elysia()
    .post("/system", async () => (await system.insert(invoice, { number: "S-1", tenant: "A" })).json)
    .post("/nobody", async () => (await system.insert(order, { title: "S-1", customer: null })).json)
    .post("/operator", async ({ request }) => (await storeFor(request).insert(invoice, { number: "S-2", tenant: "B" })).json)
    .post("/give/:id", async ({ request, params: { id } }) => {
      const given = await storeFor(request).update(order, Number(id), (current) => ({ ...current, account: "eve" }));
      return given?.json ?? "none";
    })
    .post("/move/:id", async ({ request, params: { id } }) => {
      const moved = await storeFor(request).update(invoice, Number(id), (current) => ({ ...current, tenant: "B" }));
      return moved?.json ?? "none";
    })
    .post("/both", async ({ request }) =>
      storeFor(request).transaction(async (tx) => {
        const { id } = await tx.insert(customer, { email: "tx@example.com" });
        const { account } = await tx.insert(order, { customer: id, title: "In a transaction" });
        return { account, seen: await tx.get(order, 1) };
      }),
    )
    .get(
      "/by-email",
      async ({ request }) => (await storeFor(request).findByKey(customer, "email", { email: "ada@example.com" }))?.json ?? "none",
    )
    .get("/by-number", async ({ request }) => (await storeFor(request).findByKey(invoice, "number", { number: "2026-1" }))?.json ?? "none")
    .get("/hidden", () => "not public"),
);

const resources = [customer, order, product, review, invoice];
let issuer: TestIssuer;
let api: TestApi;
const tokens = { ada: "", eve: "", boss: "", a: "", b: "", clerk: "" };
beforeAll(async () => {
  issuer = await testIssuer();
  const sign = (claims: Claims) => issuer.sign({ scope: "write", ...claims });
  tokens.ada = await sign({ sub: "ada" });
  tokens.eve = await sign({ sub: "eve" });
  tokens.boss = await sign({ sub: "boss", scope: "admin" });
  tokens.a = await sign({ sub: "ada", org_id: "A" });
  tokens.b = await sign({ sub: "ben", org_id: "B" });
  tokens.clerk = await sign({ sub: "clerk", scope: "write catalogue" });
});
afterAll(() => issuer.stop());
beforeEach(() => {
  api = openApi({
    resources,
    routes: [
      ...resources.map((resource) => ({
        file: `${resource.plural}.ts`,
        path: `/${resource.plural}`,
        route: crud(resource as typeof customer),
      })),
      { file: "own.ts", path: "/own", route: own },
      { file: "products/secret.ts", path: "/products/secret", route: defineRoute(() => new Elysia().get("", () => "secret")) },
    ],
    config: {
      issuer: { url: issuer.url, audiences: [audience] },
      apiTokens: [
        { scope: "admin", name: "operator", token: "token-of-the-operator" },
        { scope: "write", name: "ada", token: "token-named-ada" },
        { scope: "admin", name: "tess", token: "token-with-claims", claims: { org_id: "A" } },
      ],
    },
  });
});
afterEach(() => api.close());

const as =
  (token: string) =>
  (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    api.send(method, path, body, { ...(token !== "" && { authorization: `Bearer ${token}` }), ...headers });
const operator = as("token-of-the-operator");

describe("the owner", () => {
  test("is whoever creates the record, by whatever token; clients never set it", async () => {
    const created = await as(tokens.ada)("POST", "/orders", { title: "First" });
    expect(created.json()).toEqual(expect.objectContaining({ id: 1, account: "ada", label: "First of ada" }));
    expect((await as("token-named-ada")("GET", "/orders/1")).status).toBe(200);
    for (const [method, path] of [
      ["POST", "/orders"],
      ["PUT", "/orders/1"],
      ["PATCH", "/orders/1"],
    ] as const)
      expect((await as(tokens.boss)(method, path, { title: "x", account: "eve" })).json()).toMatchObject({
        status: 422,
        errors: [{ pointer: "/account", detail: "Set by the service, not by clients; leave it out." }],
      });
    // An administrator's change does not make the record theirs.
    expect((await as(tokens.boss)("PUT", "/orders/1", { title: "Changed" })).json()).toMatchObject({ account: "ada" });
    expect((await as(tokens.ada)("PATCH", "/orders/1", { title: "Mine" })).json()).toMatchObject({ account: "ada", version: 3 });
    const bulk = await as(tokens.ada)("POST", "/orders/bulk", [{ title: "Second" }]);
    expect(bulk.json()).toMatchObject({ results: [{ order: { account: "ada" } }] });
  });

  test("sees their own; administrators see all; what the service made belongs to nobody", async () => {
    await as(tokens.ada)("POST", "/orders", { title: "Ada's" });
    await as(tokens.eve)("POST", "/orders", { title: "Eve's" });
    await operator("POST", "/own/nobody");
    const titles = async (token: string) =>
      (await as(token)("GET", "/orders?count=true")).json<{ orders: { title: string }[]; count: object }>();
    expect(await titles(tokens.ada)).toMatchObject({ orders: [{ title: "Ada's" }], count: { value: 1, isExact: true } });
    expect((await titles(tokens.eve)).orders.map(({ title }) => title)).toEqual(["Eve's"]);
    expect((await titles(tokens.boss)).orders.map(({ title }) => title)).toEqual(["Ada's", "Eve's", "S-1"]);
    expect((await operator("GET", "/orders/3")).json()).toMatchObject({ account: null });
  });

  test("is a filter for administrators, and none for others", async () => {
    await as(tokens.ada)("POST", "/customers", { email: "ada@example.com" });
    await as(tokens.eve)("POST", "/customers", { email: "eve@example.com" });
    const found = async (token: string) =>
      (await as(token)("GET", "/customers?account=ada&account=eve")).json<{ customers: { id: number }[] }>().customers.map(({ id }) => id);
    expect([await found(tokens.boss), await found(tokens.ada), await found(tokens.eve)]).toEqual([[1, 2], [1], [2]]);
    expect((await as(tokens.eve)("GET", "/customers?account=ada")).json()).toMatchObject({ customers: [], next: null });
  });

  test("is passed on by code of the service alone", async () => {
    await as(tokens.ada)("POST", "/orders", { title: "A gift" });
    expect((await as(tokens.eve)("POST", "/own/give/1")).text).toBe("none");
    expect((await as(tokens.ada)("POST", "/own/give/1")).json()).toMatchObject({ account: "eve" });
    expect((await as(tokens.ada)("GET", "/orders/1")).status).toBe(404);
    expect((await as(tokens.ada)("GET", "/orders/1/history")).json()).toMatchObject({ history: [{ type: "order.created" }] });
    expect((await as(tokens.eve)("GET", "/orders/1/history")).json()).toMatchObject({ history: [{ type: "order.updated" }] });
  });

  test("others get 404 before any condition is looked at, and what refers to their records is missing", async () => {
    const { headers } = await as(tokens.ada)("POST", "/customers", { email: "ada@example.com" });
    for (const condition of [{ "if-match": headers.get("etag") ?? "" }, { "if-match": '"0-0"' }, { "if-none-match": "*" }])
      expect((await as(tokens.eve)("PATCH", "/customers/1", { email: "x@example.com" }, condition)).status).toBe(404);
    const refused = await as(tokens.eve)("POST", "/orders", { title: "x", customer: 1 });
    const missing = await as(tokens.eve)("POST", "/orders", { title: "x", customer: 99 });
    expect([refused.status, refused.json<{ errors: object }>().errors]).toEqual([422, missing.json<{ errors: object }>().errors]);
    expect((await as(tokens.boss)("POST", "/orders", { title: "x", customer: 1 })).status).toBe(201);
    expect((await as(tokens.boss)("GET", "/orders?expand=customer")).text).toContain("ada@example.com");
  });

  test("a record goes with the one that it refers to, of whomever it is", async () => {
    await as(tokens.ada)("POST", "/customers", { email: "ada@example.com" });
    await as(tokens.boss)("POST", "/orders", { title: "x", customer: 1 });
    expect((await as(tokens.ada)("DELETE", "/customers/1")).status).toBe(204);
    expect((await as(tokens.boss)("GET", "/orders/1")).json()).toMatchObject({ customer: null, account: "boss" });
  });

  test("a unique value is unique for all, unless it is within the owner", async () => {
    await as(tokens.ada)("POST", "/customers", { email: "ada@example.com" });
    const conflict = await as(tokens.eve)("POST", "/customers", { email: "ada@example.com" });
    expect(conflict.json()).toMatchObject({
      status: 409,
      detail: expect.any(String),
      errors: [{ pointer: "/email", detail: "Must be unique." }],
    });
    expect((await as(tokens.eve)("GET", "/own/by-email")).text).toBe("none");
    expect((await as(tokens.ada)("GET", "/own/by-email")).text).toContain("ada@example.com");
    for (const token of [tokens.ada, tokens.eve]) expect((await as(token)("POST", "/orders", { title: "Same" })).status).toBe(201);
    expect((await as(tokens.eve)("POST", "/orders", { title: "Same" })).status).toBe(409);
    // Those that belong to nobody are compared with each other.
    expect((await operator("POST", "/own/nobody")).status).toBe(200);
    expect((await operator("POST", "/own/nobody")).status).toBe(409);
  });

  test("holds in transactions", async () => {
    await as(tokens.eve)("POST", "/orders", { title: "Eve's" });
    const made = await as(tokens.ada)("POST", "/own/both");
    expect(made.json<object>()).toEqual({ account: "ada" });
    expect((await as(tokens.ada)("GET", "/orders")).json()).toMatchObject({ orders: [{ title: "In a transaction", account: "ada" }] });
  });

  test("that a record was erased is seen by those who see all of its resource", async () => {
    await as(tokens.ada)("POST", "/orders", { title: "x" });
    await as(tokens.clerk)("POST", "/products", { sku: "x", price: 1 });
    await api.store.erase(order, 1);
    await api.store.erase(product, 1);
    const types = async (token: string) =>
      (await as(token)("GET", "/events")).json<{ events: { event: { type: string } }[] }>().events.map(({ event }) => event.type);
    expect(await types(tokens.ada)).toEqual(["product.erased"]);
    expect(await types("token-of-the-operator")).toEqual(expect.arrayContaining(["order.erased", "product.erased"]));
  });

  test("without tokens, there is none, and everybody sees all", async () => {
    const open = openApi({ resources, routes: [{ file: "o.ts", path: "/orders", route: crud(order as never) }] });
    expect((await open.send("POST", "/orders", { title: "x" })).json()).toMatchObject({ account: null });
    expect((await open.send("GET", "/orders")).json()).toMatchObject({ orders: [{ title: "x" }] });
    await open.close();
  });
});

describe("read: anyone", () => {
  test("needs no token to list and read, and a token for everything else", async () => {
    await as(tokens.clerk)("POST", "/products", { sku: "LAMP-1", price: 39.9 });
    const anyone = as("");
    expect((await anyone("GET", "/products")).json()).toMatchObject({ products: [{ sku: "LAMP-1" }] });
    for (const [method, path, status] of [
      ["GET", "/products/1", 200],
      ["HEAD", "/products", 200],
      ["GET", "/products/2", 404],
      ["GET", "/products/1?version=1", 200],
      ["GET", "/products/1/history", 401],
      ["GET", "/products/secret", 401],
      ["GET", "/products/1/", 200],
      ["POST", "/products", 401],
      ["DELETE", "/products/1", 401],
      ["GET", "/orders", 401],
      ["GET", "/events", 401],
      ["GET", "/own/hidden", 401],
    ] as const)
      expect([method, path, (await anyone(method, path, method === "POST" ? {} : undefined)).status]).toEqual([method, path, status]);
    // A token that is not valid is not the same as none.
    expect((await as("wrong")("GET", "/products")).status).toBe(401);
    expect((await as(tokens.ada)("GET", "/products")).status).toBe(200);
    await as(tokens.clerk)("PATCH", "/products/1", { price: 5 });
    await as(tokens.clerk)("DELETE", "/products/1");
    expect((await anyone("GET", "/products/1?version=1")).status).toBe(404);
    expect((await as(tokens.ada)("GET", "/products/1?version=1")).status).toBe(200);
  });

  test("the document says so", async () => {
    type Operation = { security?: object[]; responses: object };
    const { paths } = (await as("")("GET", "/swagger/json")).json<{ paths: Record<string, Record<string, Operation>> }>();
    expect([paths["/products"]?.["get"]?.security, paths["/products/{id}"]?.["get"]?.security]).toEqual([[], []]);
    expect([paths["/products"]?.["post"]?.security, paths["/orders"]?.["get"]?.security]).toEqual([undefined, undefined]);
  });

  test("with an owner, shows all records; only the owner changes theirs: 403, since others see it", async () => {
    await as(tokens.ada)("POST", "/reviews", { text: "Bright." });
    expect((await as("")("GET", "/reviews")).json()).toMatchObject({ reviews: [{ text: "Bright.", author: "ada" }] });
    expect((await as(tokens.eve)("GET", "/reviews/1/history")).status).toBe(200);
    expect((await as(tokens.eve)("GET", "/events?resource=review")).text).toContain("Bright.");
    for (const [method, body] of [["PATCH", { text: "Dark." }], ["DELETE"]] as const)
      expect((await as(tokens.eve)(method, "/reviews/1", body)).json()).toMatchObject({
        type: "/problems/forbidden",
        status: 403,
        detail: "Only the owner of the review may change it.",
      });
    expect((await as(tokens.boss)("PATCH", "/reviews/1", { text: "Dark." })).status).toBe(200);
    expect((await as(tokens.ada)("DELETE", "/reviews/1")).status).toBe(204);
  });
});

test("write: a change needs the scope, or admin", async () => {
  for (const [method, path, body] of [
    ["POST", "/products", { sku: "x", price: 1 }],
    ["POST", "/products/bulk", [{ sku: "x", price: 1 }]],
    ["PATCH", "/products/1", { price: 1 }],
    ["DELETE", "/products/1"],
    ["POST", "/products/1/restore"],
  ] as const) {
    const refused = await as(tokens.ada)(method, path, body);
    expect([method, path, refused.status, refused.headers.get("www-authenticate")]).toEqual([
      method,
      path,
      403,
      'Bearer realm="warren", error="insufficient_scope", scope="catalogue"',
    ]);
    expect(refused.json<{ detail: string }>().detail).toBe('Changing a product requires the scope "catalogue".');
  }
  for (const token of [tokens.clerk, tokens.boss, "token-of-the-operator"])
    expect((await as(token)("POST", "/products", { sku: "x", price: 1 })).status).toBe(201);
});

describe("tenants", () => {
  test("the claim fills the field in; it is the limit of unique values and of all that is read", async () => {
    expect((await as(tokens.a)("POST", "/invoices", { number: "2026-1" })).json()).toMatchObject({ tenant: "A" });
    expect((await as(tokens.b)("POST", "/invoices", { number: "2026-1" })).json()).toMatchObject({ tenant: "B" });
    expect((await as(tokens.b)("POST", "/invoices", { number: "2026-1" })).status).toBe(409);
    expect((await as(tokens.a)("GET", "/own/by-number")).json()).toMatchObject({ id: 1 });
    expect((await as(tokens.b)("GET", "/own/by-number")).json()).toMatchObject({ id: 2 });
    expect((await as(tokens.a)("GET", "/invoices?count=true")).json()).toMatchObject({ invoices: [{ id: 1 }], count: { value: 1 } });
    expect((await as(tokens.a)("POST", "/own/move/1")).json()).toMatchObject({ tenant: "A" });
  });

  test.each<[string, Claims, string]>([
    ["is missing", {}, 'The token lacks the claim "org_id", which says whose invoice records it may use.'],
    [
      "is missing, for an administrator",
      { scope: "admin" },
      'The token lacks the claim "org_id", which says whose invoice records it may use.',
    ],
    ["is a number", { org_id: 5 }, 'The claim "org_id" of the token must be a text of 1 to 255 characters.'],
    ["is null", { org_id: null }, 'The claim "org_id" of the token must be a text of 1 to 255 characters.'],
    ["is a list", { org_id: ["A"] }, 'The claim "org_id" of the token must be a text of 1 to 255 characters.'],
    ["is empty", { org_id: "" }, 'The claim "org_id" of the token must be a text of 1 to 255 characters.'],
    ["is long", { org_id: "x".repeat(256) }, 'The claim "org_id" of the token must be a text of 1 to 255 characters.'],
  ])("a claim that %s: 403 with words, for reading and changing alike", async (_, claims, detail) => {
    await as(tokens.a)("POST", "/invoices", { number: "2026-1" });
    const send = as(await issuer.sign({ scope: "write", ...claims }));
    for (const [method, path, body] of [
      ["GET", "/invoices"],
      ["GET", "/invoices/1"],
      ["POST", "/invoices", { number: "x" }],
      ["POST", "/invoices/bulk", [{ number: "x" }]],
      ["PATCH", "/invoices/1", { number: "x" }],
      ["DELETE", "/invoices/1"],
    ] as const)
      expect([method, path, (await send(method, path, body)).json()]).toEqual([
        method,
        path,
        expect.objectContaining({ status: 403, detail }),
      ]);
    // Their other records are there.
    expect((await send("GET", "/orders")).status).toBe(200);
    const { events } = (await send("GET", "/events")).json<{ events: unknown[] }>();
    expect(events).toEqual([]);
  });

  test("a token of the service has no tenant: an operator sees all and creates none, others see nothing", async () => {
    await as(tokens.a)("POST", "/invoices", { number: "2026-1" });
    await operator("POST", "/own/system");
    expect((await as(tokens.a)("GET", "/invoices")).json()).toMatchObject({ invoices: [{ number: "2026-1" }, { number: "S-1" }] });
    expect((await operator("GET", "/invoices")).json<{ invoices: unknown[] }>().invoices).toHaveLength(2);
    expect((await operator("PATCH", "/invoices/1", { number: "2026-2" })).json()).toMatchObject({ tenant: "A", number: "2026-2" });
    expect((await operator("POST", "/invoices", { number: "x" })).json()).toMatchObject({
      status: 403,
      detail: 'The token has no claim "org_id", so the invoice would belong to nobody.',
    });
    expect((await operator("POST", "/own/operator")).json()).toMatchObject({ tenant: "B" });
    expect((await as("token-named-ada")("GET", "/invoices")).status).toBe(403);
  });

  test("a test can give an actor claims, who is then in a tenant", async () => {
    await as(tokens.b)("POST", "/invoices", { number: "2026-1" });
    expect((await as("token-with-claims")("POST", "/invoices", { number: "2026-2" })).json()).toMatchObject({ tenant: "A" });
    expect((await as("token-with-claims")("GET", "/invoices")).json()).toMatchObject({ invoices: [{ number: "2026-2" }] });
  });

  test("dead letters and replays show all tenants, so no token of an issuer opens them", async () => {
    for (const path of ["/dead-letters", "/dead-letters/invoice_events", "/replays"]) {
      expect([path, (await as(tokens.boss)("GET", path)).status]).toEqual([path, 403]);
      expect([path, (await operator("GET", path)).status]).not.toEqual([path, 403]);
    }
  });

  test("a timeline is that of an event of the tenant", async () => {
    await as(tokens.a)("POST", "/invoices", { number: "2026-1" });
    const [event] = (await as(tokens.a)("GET", "/events")).json<{ events: { event: { id: string } }[] }>().events;
    const path = `/events/${event?.event.id}/timeline`;
    const admin = async (org_id: string) => (await as(await issuer.sign({ scope: "admin", org_id }))("GET", path)).status;
    expect([await admin("A"), await admin("B"), (await operator("GET", path)).status]).toEqual([200, 404, 200]);
  });

  test("a key for idempotency of one tenant is another in the other", async () => {
    const key = { "idempotency-key": "same" };
    const [here, there] = await Promise.all([issuer.sign({ sub: "ada", org_id: "A" }), issuer.sign({ sub: "ada", org_id: "B" })]);
    const first = await as(here)("POST", "/invoices", { number: "2026-1" }, key);
    const second = await as(there)("POST", "/invoices", { number: "2026-1" }, key);
    expect([first.json(), second.json()]).toMatchObject([{ tenant: "A" }, { tenant: "B" }]);
  });

  test("the pages of a list have nothing of others among them, not even where they end", async () => {
    const bulk = (tenant: string, from: number) =>
      as(tenant)(
        "POST",
        "/invoices/bulk",
        Array.from({ length: 700 }, (_, index) => ({ number: `${tenant === tokens.a ? "secret" : "own"}-${from + index}` })),
      );
    await bulk(tokens.a, 0);
    await bulk(tokens.a, 1000);
    expect((await as(tokens.b)("POST", "/invoices", { number: "a" })).status).toBe(201);
    expect((await as(tokens.b)("POST", "/invoices", { number: "zebra" })).status).toBe(201);
    for (const query of ["", "&sort=number", "&sort=-number", "&sort=-createdAt", "&sort=-id", "&updatedSince=2020-01-01"]) {
      const page = (await as(tokens.b)("GET", `/invoices?limit=1${query}`)).json<{ invoices: unknown[]; next: string }>();
      expect([query, page.invoices.length, Buffer.from(page.next.slice(1), "base64url").toString().includes("secret")]).toEqual([
        query,
        1,
        false,
      ]);
      const rest = (await as(tokens.b)("GET", `/invoices?limit=1${query}&after=${page.next}`)).json<{ invoices: unknown[]; next: null }>();
      expect([query, rest.invoices.length, rest.next]).toEqual([query, 1, null]);
    }
  });

  test("a stream shows its tenant's events only, and ends when the token expires", async () => {
    await as(tokens.a)("POST", "/invoices", { number: "secret" });
    await as(tokens.b)("POST", "/invoices", { number: "own" });
    // In one to two seconds: it has whole ones, and a busy machine needs a while to read the log.
    const soon = await issuer.sign({ sub: "ben", org_id: "B", exp: Math.floor(Date.now() / 1000) + 2 });
    const request = new Request("http://test/events/stream?after=0", { headers: { authorization: `Bearer ${soon}` } });
    // Resolves at the end of the stream.
    const text = await (await api.app.handle(request)).text();
    expect(text).toContain("own");
    expect(text).not.toContain("secret");
  });
});

describe("a declaration that contradicts itself is refused", () => {
  const base = { name: "thing", fields: { title: Type.String() }, example: { title: "x" } } as const;
  test.each<[object, string]>([
    [{ owner: "title" }, 'the field "title" is declared twice'],
    [{ owner: "created by" }, 'the field "created by" of `owner` may contain only letters'],
    [{ owner: "id" }, 'the field name "id" is reserved'],
    [{ scope: { field: "tenant" } }, '`scope` does not say which claim has the tenant; add `claim`, such as `claim: "org_id"`.'],
    [{ scope: { field: "t", claim: "org_id" }, owner: "t" }, 'the field "t" is declared twice'],
    [{ scope: { field: "tenant", claim: "org_id" }, read: "anyone" }, '`read: "anyone"` and `scope` contradict each other'],
    [{ read: "all" }, '`read` is "all"; use "anyone", or leave it out.'],
    [{ write: "two words" }, '`write` is "two words"; use the name of a scope, such as "admin".'],
    [{ unique: [{ field: "title", within: "owner" }] }, 'the unique key "title" has `within: "owner"`; it can only be within "owner"'],
  ])("%j", (options, why) => {
    expect(() => defineResource({ ...base, ...options } as never)).toThrow(why);
  });
});
