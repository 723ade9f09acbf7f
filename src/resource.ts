import { type TSchema, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Elysia } from "elysia";
import { type Input, withDefaults } from "./defaults";
import type { Recorded, Resource } from "./domain/resource";
import { jsonBody } from "./json-body";
import { mergePatch } from "./merge-patch";
import { validTraceparent } from "./observe/traceparent";
import { describeMistakes, HttpProblem, Problem } from "./problem";
import { pageQuery, schemasOf, typed } from "./resource-schemas";
import { type Dependencies, defineRoute } from "./route";
import type { ChangeContext, Stored } from "./store/store";

/** RFC 7396. */
const patchMediaType = "application/merge-patch+json";

const location = { Location: { description: "The path of what was created.", schema: { type: "string" as const } } };

/**
 * CRUD over HTTP for a resource: list, create, read, replace, change and delete. Every change is an event.
 *
 * @example
 * // routes/orders.ts
 * export default crud(order);
 */
export function crud<Name extends string, Plural extends string, Fields extends object>(resource: Resource<Name, Plural, Fields>) {
  type Page = { [key in Plural]: Recorded<Fields>[] } & { next: number | null };
  const { name, plural } = resource;
  const schemas = schemasOf(resource);
  const record = typed<Recorded<Fields>>(schemas.record);
  const input = typed<Input<Fields>>(schemas.input);
  const patch = typed<Partial<Fields>>(schemas.patch);
  const page = typed<Page>(schemas.page);
  const { params } = schemas;
  const fieldsCheck = TypeCompiler.Compile<TSchema>(resource.fields);
  const tags = [plural];
  const refused = { 422: Problem, 503: Problem };
  const missing = { 404: Problem, ...refused };
  const unreadable = { 400: Problem, 415: Problem };

  const found = (stored: Stored | undefined, id: string): Stored => {
    if (!stored) throw new HttpProblem(404, `There is no ${name} ${id}.`);
    return stored;
  };
  const complete = (fields: unknown) => withDefaults(resource.fields, fields) as Fields;
  const patched = (current: object, change: unknown): Fields => {
    const fields = complete(mergePatch(fieldsOf(resource, current), change));
    if (fieldsCheck.Check(fields)) return fields;
    throw new HttpProblem(422, `The patch would leave the ${name} invalid.`, describeMistakes(fieldsCheck.Errors(fields)));
  };

  return defineRoute(({ store }: Dependencies) =>
    new Elysia()
      .get(
        "",
        async ({ query }) => {
          const limit = Number(query.limit ?? 50);
          const after = Number(query.after ?? 0);
          // One more than asked for tells whether there is a next page.
          const rows = await store.list(resource, after, limit + 1);
          const shown = rows.slice(0, limit);
          const next = rows.length > limit ? (shown.at(-1)?.id ?? null) : null;
          return json(`{"${plural}":[${shown.map((row) => row.json).join(",")}],"next":${next}}`);
        },
        {
          query: pageQuery,
          response: { 200: page, ...refused },
          detail: {
            tags,
            summary: `List ${plural}`,
            description: "In the order of their ids, a page at a time.",
          },
        },
      )
      .post(
        "",
        async ({ body, path, headers }) => {
          const stored = await store.insert(resource, complete(body), contextOf(headers));
          return json(stored.json, 201, { location: `${path.replace(/\/$/, "")}/${stored.id}` });
        },
        {
          body: input,
          parse: jsonBody(input, "application/json"),
          response: { 201: record, ...unreadable, ...refused },
          detail: {
            tags,
            summary: `Create ${aOrAn(name)}`,
            description: `Publishes ${name}.created.`,
            responses: { 201: { description: "Created; `Location` is its path.", headers: location } },
          },
        },
      )
      .get("/:id", async ({ params: { id } }) => json(found(await store.get(resource, Number(id)), id).json), {
        params,
        response: { 200: record, ...missing },
        detail: { tags, summary: `Read ${aOrAn(name)}` },
      })
      .put(
        "/:id",
        async ({ params: { id }, body, headers }) => {
          const fields = complete(body);
          return json(found(await store.update(resource, Number(id), () => fields, contextOf(headers)), id).json);
        },
        {
          params,
          body: input,
          parse: jsonBody(input, "application/json"),
          response: { 200: record, ...unreadable, ...missing },
          detail: {
            tags,
            summary: `Replace ${aOrAn(name)}`,
            description: `A field that is left out goes back to its default. Publishes ${name}.updated.`,
          },
        },
      )
      .patch(
        "/:id",
        async ({ params: { id }, body, headers }) =>
          json(found(await store.update(resource, Number(id), (current) => patched(current, body), contextOf(headers)), id).json),
        {
          params,
          body: patch,
          parse: jsonBody(patch, patchMediaType, "application/json"),
          response: { 200: record, ...unreadable, ...missing },
          detail: {
            tags,
            summary: `Change ${aOrAn(name)}`,
            description: `A JSON merge patch (RFC 7396): what is left out stays, null takes a value away. Publishes ${name}.updated.`,
            requestBody: { required: true, content: { [patchMediaType]: {}, "application/json": {} } },
          },
        },
      )
      .delete(
        "/:id",
        async ({ params: { id }, headers }) => {
          found(await store.remove(resource, Number(id), contextOf(headers)), id);
          return new Response(null, { status: 204 }) as never;
        },
        {
          params,
          response: { 204: Type.Undefined({ description: "Deleted." }), ...missing },
          detail: {
            tags,
            summary: `Delete ${aOrAn(name)}`,
            description: `Publishes ${name}.deleted, which carries the last state.`,
          },
        },
      ),
  );
}

function fieldsOf(resource: Resource, record: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(resource.fields.properties).map((name) => [name, (record as Record<string, unknown>)[name]]));
}

/** A JSON answer from text that is JSON already. Its type is the one that the route declares for its answer. */
function json(text: string, status = 200, headers?: Record<string, string>): never {
  return new Response(text, { status, headers: { "content-type": "application/json", ...headers } }) as never;
}

function contextOf(headers: Record<string, string | undefined>): ChangeContext {
  const traceparent = validTraceparent(headers["traceparent"]);
  return traceparent ? { traceparent } : {};
}

function aOrAn(name: string): string {
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}
