import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { jsonResponse } from "../http/answer-headers";
import { jsonBody } from "../http/json-body";
import { typed } from "../http/page-query";
import { HttpProblem, Problem } from "../http/problem";
import { refuseQuery } from "../http/query";
import { type Dependencies, defineRoute } from "../routing/route";
import { mistakesIn } from "../schema/check";
import type { Filters } from "../schema/filter";
import type { Recorded } from "../schema/record";
import type { Resource } from "../schema/resource";
import type { Store } from "../store/store";
import type { Stored } from "../store/stored";
import { bulk } from "./bulk";
import { contextOf } from "./context";
import { type Input, withDefaults } from "./defaults";
import { changeParameters, etag, idempotencyKey, location, readParameters } from "./headers";
import { fingerprintOf, idempotencyKeyOf, onceOf, refuseKey } from "./idempotency-key";
import { listOf } from "./listing";
import { mergePatch, type Patch } from "./merge-patch";
import { etagOf, guardOf, isUnchanged } from "./preconditions";
import { schemasOf } from "./resource-schemas";

/** Media type of a JSON merge patch (RFC 7396). */
const patchMediaType = "application/merge-patch+json";

const listDescription =
  "A page at a time; `next`, and the header `Link` (RFC 8288), lead to the one after it. A page with a filter may be short, " +
  "or empty, and still have a `next`: it reads a bounded number of records. What is changed or deleted in between never makes " +
  "another record be left out.";
const links = { Link: { description: 'The pages `rel="next"` and `rel="first"`.', schema: { type: "string" as const } } };

/**
 * Builds the HTTP routes of a resource: list, create (one or in bulk), read, replace, patch and delete. Every change of a
 * record publishes an event: `<name>.created`, `<name>.updated` or `<name>.deleted`. An update that changes nothing does not.
 *
 * Failed requests are answered with a problem (RFC 9457).
 *
 * @example
 * // routes/orders.ts
 * export default crud(order);
 */
export function crud<Name extends string, Plural extends string, Fields extends object, By extends Filters>(
  resource: Resource<Name, Plural, Fields, By>,
) {
  type Page = { [key in Plural]: Recorded<Fields>[] } & { next: string | null };
  const { name, plural } = resource;
  const schemas = schemasOf(resource);
  const record = typed<Recorded<Fields>>(schemas.record);
  const input = typed<Input<Fields>>(schemas.input);
  const patch = typed<Patch<Fields>>(schemas.patch);
  const page = typed<Page>(schemas.page);
  const { params } = schemas;
  const list = listOf(resource);
  const tags = [plural];
  const refused = { 422: Problem, 503: Problem };
  const malformed = { 400: Problem };
  const unreadable = { ...malformed, 415: Problem };
  const missing = { 404: Problem, ...refused };
  const conditional = { ...malformed, 412: Problem, ...missing };
  const changed = { 200: { description: "OK", headers: etag } };

  const found = (stored: Stored | undefined, id: string): Stored => {
    if (!stored) throw new HttpProblem(404, `There is no ${name} ${id}.`);
    return stored;
  };
  const complete = (fields: unknown) => withDefaults(resource.fields, fields) as Fields;
  const patched = (current: object, change: unknown): Fields => {
    const fields = complete(mergePatch(fieldsOf(resource, current), change));
    const mistakes = mistakesIn(resource.fields, fields);
    if (mistakes.length === 0) return fields;
    throw new HttpProblem(422, `The patch would leave the ${name} invalid.`, mistakes);
  };

  const insert = async (store: Store, body: unknown, path: string, request: Request): Promise<Stored> => {
    const key = idempotencyKeyOf(request.headers);
    if (key === undefined) return store.insert(resource, complete(body), contextOf(request));
    const once = onceOf({ key, path, authorization: request.headers.get("authorization"), fingerprint: fingerprintOf(body) });
    const answerOf = ([created]: readonly Stored[]) => (created as Stored).json;
    const json = await store.insertAll(resource, [complete(body)], answerOf, { ...contextOf(request), once }).catch(refuseKey);
    const { id, version } = JSON.parse(json) as Recorded<Fields>;
    return { id, version, json };
  };
  const changeOf = (request: Request) => ({ ...contextOf(request), guard: guardOf(name, request.headers) });

  return defineRoute(({ store, log }: Dependencies) =>
    new Elysia()
      .get(
        "",
        async ({ request, path }) => {
          const { listing, links } = list.read(request.url);
          const found = await store.list(resource, listing);
          const { next, link } = links(found, path);
          const text = `{"${plural}":[${found.rows.map((row) => row.json).join(",")}],"next":${JSON.stringify(next)}}`;
          return jsonResponse(text, 200, { link }) as never;
        },
        {
          query: list.schema,
          response: { 200: page, ...refused },
          detail: {
            tags,
            summary: `List ${plural}`,
            description: listDescription,
            responses: { 200: { description: "A page.", headers: links } },
          },
        },
      )
      .post(
        "",
        async ({ body, path, request }) => {
          const stored = await insert(store, body, path, request);
          return answer(stored, 201, { location: `${path.replace(/\/$/, "")}/${stored.id}` });
        },
        {
          ...jsonBody(input, "application/json"),
          response: { 201: record, ...unreadable, ...refused, 429: Problem },
          detail: {
            tags,
            summary: `Create ${aOrAn(name)}`,
            description: `Publishes ${name}.created.`,
            parameters: [idempotencyKey],
            responses: { 201: { description: "Created; `Location` is its path.", headers: { ...location, ...etag } } },
          },
        },
      )
      .use(bulk(resource, schemas, complete, { store, log }))
      .get(
        "/:id",
        async ({ params: { id }, request }) => {
          const stored = found(await store.get(resource, Number(id)), id);
          if (isUnchanged(name, request.headers, stored))
            return new Response(null, { status: 304, headers: { etag: etagOf(stored) } }) as never;
          return answer(stored);
        },
        {
          params,
          transform: refuseQuery,
          response: { 200: record, 304: Type.Undefined({ description: "The record is in a state that the client has." }), ...conditional },
          detail: {
            tags,
            summary: `Read ${aOrAn(name)}`,
            description: "Its `ETag` names its state, for conditional requests.",
            parameters: readParameters(params),
            responses: { ...changed, 304: { description: "The record is still in a state that the request names.", headers: etag } },
          },
        },
      )
      .put(
        "/:id",
        async ({ params: { id }, body, request }) => {
          const fields = complete(body);
          return answer(found(await store.update(resource, Number(id), () => fields, changeOf(request)), id));
        },
        {
          params,
          ...jsonBody(input, "application/json"),
          response: { 200: record, ...unreadable, ...conditional },
          detail: {
            parameters: changeParameters(params),
            responses: changed,
            tags,
            summary: `Replace ${aOrAn(name)}`,
            description: `A field that is left out goes back to its default. Publishes ${name}.updated, unless nothing changes.`,
          },
        },
      )
      .patch(
        "/:id",
        async ({ params: { id }, body, request }) =>
          answer(found(await store.update(resource, Number(id), (current) => patched(current, body), changeOf(request)), id)),
        {
          params,
          ...jsonBody(patch, patchMediaType, "application/json"),
          response: { 200: record, ...unreadable, ...conditional },
          detail: {
            parameters: changeParameters(params),
            responses: changed,
            tags,
            summary: `Change ${aOrAn(name)}`,
            description: `A JSON merge patch (RFC 7396): what is left out stays, null takes a value away or puts a default back. Publishes ${name}.updated, unless nothing changes.`,
            requestBody: { required: true, content: { [patchMediaType]: {}, "application/json": {} } },
          },
        },
      )
      .delete(
        "/:id",
        async ({ params: { id }, request }) => {
          found(await store.remove(resource, Number(id), changeOf(request)), id);
          return new Response(null, { status: 204 }) as never;
        },
        {
          params,
          transform: refuseQuery,
          response: { 204: Type.Undefined({ description: "Deleted." }), ...conditional },
          detail: {
            parameters: changeParameters(params),
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

/** Returns a response with the record and its ETag. The return type is `never` so that it fits the type the route declares. */
function answer(stored: Stored, status = 200, headers?: Record<string, string>): never {
  return jsonResponse(stored.json, status, { etag: etagOf(stored), ...headers }) as never;
}

function aOrAn(name: string): string {
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}
