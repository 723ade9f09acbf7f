// ?expand= over HTTP: the records that a record refers to, in its response.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { crud } from "warren/crud";
import { defineResource, Nullable } from "warren/resource";
import type { Store } from "../src/store/store";
import { openApi, storeWith, type TestApi } from "./support/api";

const author = defineResource({ name: "author", fields: { name: Type.String() }, example: { name: "Ada" } });
const book = defineResource({
  name: "book",
  fields: {
    title: Type.String(),
    author: Type.Integer({ minimum: 1 }),
    sequel: Nullable(Type.Integer({ minimum: 1 })),
    chapters: Type.Array(Type.Object({ author: Nullable(Type.Integer({ minimum: 1 })) }), { default: [] }),
  },
  references: { author: { to: "author" }, sequel: { to: "book", onDelete: "null" }, "chapters[].author": { to: "author" } },
  example: { title: "Secret", author: 1, sequel: null, chapters: [] },
});

let api: TestApi;
let queries: number;
const counting = (store: Store) =>
  storeWith(store, {
    getAll: (resource, ids) => {
      queries += 1;
      return store.getAll(resource, ids);
    },
  });
beforeEach(async () => {
  queries = 0;
  const routes = [
    { file: "authors.ts", path: "/authors", route: crud(author) },
    { file: "books.ts", path: "/books", route: crud(book) },
  ];
  api = openApi({ resources: [author, book], routes, wrap: counting });
  for (const name of ["Ada", "Bea", "Cleo"]) await api.send("POST", "/authors", { name });
  await api.send("POST", "/books", { title: "One", author: 1 });
  await api.send("POST", "/books", { title: 'Two "}', author: 2, sequel: 1, chapters: [3, null, 1, 3].map((one) => ({ author: one })) });
});
afterEach(() => api.close());
const read = async (path: string) => (await api.send("GET", path)).json();

describe("expand", () => {
  test("adds the whole record to one that is read, beside its fields", async () => {
    const [plain, ada] = [await read("/books/1"), await read("/authors/1")];
    expect(await read("/books/1?expand=author")).toEqual({ ...(plain as object), expanded: { author: ada } });
  });

  test("takes several paths; null stands for null, and an array has each record once", async () => {
    const [two, one, ada, bea, cleo] = await Promise.all(["/books/2", "/books/1", "/authors/1", "/authors/2", "/authors/3"].map(read));
    const expanded = { author: bea, sequel: one, "chapters[].author": [cleo, ada] };
    expect(await read("/books/2?expand=author,sequel,chapters[].author")).toEqual({ ...(two as object), expanded });
    expect(await read("/books/1?expand=chapters%5B%5D.author,sequel,sequel")).toMatchObject({
      expanded: { sequel: null, "chapters[].author": [] },
    });
  });

  test("works in lists, with one query for a path however many rows, and its pages keep it", async () => {
    for (let number = 0; number < 30; number += 1) await api.send("POST", "/books", { title: "", author: 1 + (number % 3) });
    const { headers, json } = await api.send("GET", "/books?limit=20&sort=-id&expand=author");
    const { books, next } = json<{ books: { author: number; expanded: object }[]; next: string }>();
    expect(books).toHaveLength(20);
    for (const each of books) expect(each.expanded).toEqual({ author: await read(`/authors/${each.author}`) });
    expect(queries).toBe(1);
    expect(headers.get("link")).toContain(`expand=author&after=${next}`);
    const rest = (await api.send("GET", `/books?limit=20&sort=-id&expand=author,sequel&after=${next}`)).json<{ books: object[] }>();
    expect(rest.books[0]).toHaveProperty("expanded.sequel");
    expect(queries).toBe(3);
  });

  test("of an empty page asks for nothing", async () => {
    expect(await read("/books?after=99&expand=author")).toEqual({ books: [], next: null });
  });

  test("has no ETag, as the response depends on several records, and is no 304", async () => {
    const etag = (await api.send("GET", "/books/1")).headers.get("etag") ?? "";
    const { status, headers } = await api.send("GET", "/books/1?expand=author", undefined, { "if-none-match": etag });
    expect([status, headers.get("etag")]).toEqual([200, null]);
  });

  test.each(["writer", "author,", "", "title", "author&expand=sequel", "chapters"])("refuses expand=%s with 422", async (value) => {
    for (const path of ["/books", "/books/1"]) {
      const { status, json } = await api.send("GET", `${path}?expand=${value}`);
      expect([status, json()]).toEqual([422, expect.objectContaining({ errors: [{ pointer: "/expand", detail: expect.any(String) }] })]);
    }
  });

  test("is unknown where there are no references, and for requests that change something", async () => {
    expect((await api.send("GET", "/authors/1?expand=book")).status).toBe(422);
    expect((await api.send("DELETE", "/books/2?expand=author")).status).toBe(422);
  });
});

test("the documentation has the parameter, and the records in the schema", async () => {
  interface Operation {
    readonly parameters: readonly { readonly name: string; readonly in: string; readonly description: string }[];
  }
  const { paths, components } = (await api.send("GET", "/swagger/json")).json<{
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, { properties: Record<string, object> }> };
  }>();
  for (const path of ["/books", "/books/{id}"]) {
    const found = paths[path]?.["get"]?.parameters.filter(({ name }) => name === "expand");
    expect([path, found]).toEqual([
      path,
      [expect.objectContaining({ in: "query", description: expect.stringContaining("author, sequel") })],
    ]);
  }
  expect(components.schemas["Book"]?.properties["expanded"]).toMatchObject({
    properties: {
      author: { anyOf: [{ $ref: "#/components/schemas/Author" }, { type: "null" }] },
      "chapters[].author": { type: "array", items: { $ref: "#/components/schemas/Author" } },
    },
  });
  expect(components.schemas["Author"]?.properties).not.toHaveProperty("expanded");
});
