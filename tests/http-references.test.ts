// References over HTTP: the problem of each request that breaks one, and the documentation.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { crud } from "warren/crud";
import { defineResource, Nullable } from "warren/resource";
import { openApi, type TestApi } from "./support/api";

const author = defineResource({ name: "author", fields: { name: Type.String() }, example: { name: "Ada" } });
const shelf = defineResource({ name: "shelf", plural: "shelves", fields: { room: Type.String() }, example: { room: "12" } });
const book = defineResource({
  name: "book",
  fields: {
    title: Type.String(),
    author: Type.Integer({ minimum: 1 }),
    shelf: Nullable(Type.Integer({ minimum: 1 })),
    chapters: Type.Array(Type.Object({ author: Type.Integer({ minimum: 1 }) }), { default: [] }),
  },
  references: {
    author: { to: "author" },
    shelf: { to: "shelf", onDelete: "null" },
    "chapters[].author": { to: "author", onDelete: "cascade" },
  },
  example: { title: "Secret", author: 1, shelf: null, chapters: [] },
});

let api: TestApi;
beforeEach(() => {
  const routes = [
    { file: "authors.ts", path: "/authors", route: crud(author) },
    { file: "shelves.ts", path: "/shelves", route: crud(shelf) },
    { file: "books.ts", path: "/books", route: crud(book) },
  ];
  api = openApi({ resources: [author, shelf, book], routes });
});
afterEach(() => api.close());

const post = (path: string, body: object) => api.send("POST", path, body);
const fill = async () => {
  for (const name of ["Ada", "Bea", "Cleo"]) await post("/authors", { name });
  await post("/shelves", { room: "12" });
  await post("/books", { title: "Secret", author: 1, shelf: 1, chapters: [{ author: 2 }] });
};
const missing = (name: string) => `There is no ${name} with this id.`;

describe("a missing target", () => {
  beforeEach(fill);

  test.each<[string, string, object, string[]]>([
    [
      "POST",
      "/books",
      { title: "", author: 9, shelf: 9, chapters: [{ author: 1 }, { author: 9 }] },
      ["/author", "/shelf", "/chapters/1/author"],
    ],
    ["PUT", "/books/1", { title: "", author: 9 }, ["/author"]],
    ["PATCH", "/books/1", { chapters: [{ author: 9 }] }, ["/chapters/0/author"]],
  ])("%s %s is a 422 with a pointer to each place", async (method, path, body, pointers) => {
    const { status, json } = await api.send(method, path, body);
    expect([status, json()]).toEqual([
      422,
      expect.objectContaining({
        type: "/problems/invalid",
        detail: "The book refers to what does not exist.",
        errors: pointers.map((pointer) => ({ pointer, detail: missing(pointer === "/shelf" ? "shelf" : "author") })),
      }),
    ]);
  });

  test("in a bulk is a 422 of that record alone", async () => {
    const { json } = await post("/books/bulk", [
      { title: "", author: 9 },
      { title: "", author: 1 },
    ]);
    expect(json()).toMatchObject({
      created: 1,
      results: [
        { index: 0, status: 422, problem: { errors: [{ pointer: "/author", detail: missing("author") }] } },
        { index: 1, status: 201 },
      ],
    });
  });
});

describe("DELETE", () => {
  beforeEach(fill);

  test("of a record that others refer to is a 409 that names their resource, and no more of them", async () => {
    const { status, text, json } = await api.send("DELETE", "/authors/1");
    expect([status, json()]).toEqual([
      409,
      expect.objectContaining({
        type: "/problems/conflict",
        detail: 'The author cannot be deleted, because at least one book refers to it in "author". Change or delete each such book first.',
      }),
    ]);
    expect(text).not.toContain("Secret");
  });

  test("deletes or changes them where the reference says so, with an event each", async () => {
    const before = (await api.events()).length;
    expect((await api.send("DELETE", "/shelves/1")).status).toBe(204);
    expect((await api.send("GET", "/books/1")).json()).toMatchObject({ shelf: null, version: 2 });
    expect((await api.send("DELETE", "/authors/2")).status).toBe(204);
    expect((await api.send("GET", "/books/1")).status).toBe(404);
    const types = (await api.events()).slice(before).map(({ type }) => type);
    expect(types).toEqual(["book.updated", "shelf.deleted", "book.deleted", "author.deleted"]);
  });

  test("with an ETag that does not match changes nothing", async () => {
    expect((await api.send("DELETE", "/authors/2", undefined, { "if-match": '"other"' })).status).toBe(412);
    expect((await api.send("GET", "/books/1")).status).toBe(200);
  });
});

test("the documentation says what a deletion does to the records that refer", async () => {
  const { paths } = (await api.send("GET", "/swagger/json")).json<{ paths: Record<string, Record<string, Record<string, object>>> }>();
  const { description, responses } = paths["/authors/{id}"]?.["delete"] ?? {};
  expect(description as unknown).toBe(
    "Publishes author.deleted with the last state of the record. Refused while a book refers to it (`author`). " +
      "Also deletes each book that refers to it (`chapters[].author`).",
  );
  expect(Object.keys(responses ?? {})).toContain("409");
  expect(Object.keys(paths["/books/{id}"]?.["delete"]?.["responses"] ?? {})).not.toContain("409");
});
