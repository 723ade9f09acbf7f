import { type TUnsafe, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { jsonResponse } from "../../http/answer-headers";
import { HttpProblem, problems } from "../../http/problem";
import { integer, readQuery } from "../../http/query";
import type { RequestStore } from "../../http/request-store";
import type { Resource, ResourceTypes } from "../../schema/resource";
import { recordIn } from "../../store/history";
import type { Stored } from "../../store/stored";
import { describeRead, openTo } from "../descriptions";
import { type ExpandQuery, expand, expandParameter } from "../expand";
import { answer, found, type Parts } from "../parts";
import { etagOf, isUnchanged } from "../preconditions";
import { retention } from "./history";

const own = {
  version: integer(
    1,
    Number.MAX_SAFE_INTEGER,
    "The state that the record had in this version, also if it was deleted. Default: the current state.",
  ),
};

/** `GET /:id`: reads a record. */
export function read<T extends ResourceTypes>({ resource, schemas, storeFor, catalogue }: Parts<T>) {
  const { name } = resource;
  const parameters = { ...own, ...expandParameter(resource) };
  return new Elysia().get(
    "/:id",
    async ({ params: { id }, request }) => {
      const store = storeFor(request);
      const { version, expand: paths } = readQuery(request.url, parameters);
      const current = await store.get(resource, Number(id));
      const stored = version === undefined ? found(current, name, id) : await inVersion(store, resource, Number(id), version, current);
      if (paths) {
        const [json = ""] = await expand(store, catalogue, resource, [stored], paths);
        // No ETag, since the response depends on several records.
        return jsonResponse(json, 200) as never;
      }
      if (isUnchanged(name, request.headers, stored))
        return new Response(null, { status: 304, headers: { etag: etagOf(stored) } }) as never;
      return answer(stored);
    },
    {
      params: schemas.params,
      // For the client's types. With a schema, Elysia would parse the query of every request, which the handler does itself.
      query: undefined as unknown as TUnsafe<{ version?: number | string } & ExpandQuery<T>>,
      response: {
        200: schemas.read,
        304: Type.Undefined({ description: "The record matches an ETag in If-None-Match." }),
        ...problems(400, 404, 410, 412, 422, 503),
      },
      detail: { ...describeRead(resource, schemas.params, parameters), ...openTo(resource) },
    },
  );
}

/** @throws {HttpProblem} 404 if the record never had this version, or 410 if the log no longer has it. */
async function inVersion(
  { history }: RequestStore,
  resource: Resource,
  id: number,
  version: number,
  current: Stored | undefined,
): Promise<Stored> {
  const { name } = resource;
  if (current?.version === version) return current;
  const stored = await history.version(resource, id, version);
  if (stored) return stored;
  const [last] = (await history.page(resource, id, { limit: 1 })).entries;
  const newest = current?.version ?? (last && (recordIn(resource, last)?.version ?? Number.POSITIVE_INFINITY));
  if (newest === undefined) throw new HttpProblem(404, `There is no ${name} ${id}, and the event log has no event of it. ${retention}`);
  if (version > newest) throw new HttpProblem(404, `The ${name} ${id} has no version ${version}. The newest is ${newest}.`);
  throw new HttpProblem(410, `The event log no longer has version ${version} of the ${name} ${id}. ${retention}`);
}
