import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { problems } from "../../http/problem";
import { refuseQuery } from "../../http/query";
import type { ResourceTypes } from "../../schema/resource";
import { describeRemove } from "../descriptions";
import { found, type Parts } from "../parts";
import { conditionsOf } from "../request-conditions";

/** `DELETE /:id`: deletes a record. */
export function remove<T extends ResourceTypes>({ resource, schemas, storeFor, catalogue }: Parts<T>) {
  const { name } = resource;
  const referrers = catalogue.referrersOf(resource);
  const conflicts: 409[] = referrers.length > 0 ? [409] : [];
  return new Elysia().delete(
    "/:id",
    async ({ params: { id }, request }) => {
      found(await storeFor(request).remove(resource, Number(id), conditionsOf(resource, request)), name, id);
      return new Response(null, { status: 204 }) as never;
    },
    {
      params: schemas.params,
      transform: refuseQuery,
      response: { 204: Type.Undefined({ description: "Deleted." }), ...problems(400, 404, 412, 422, 429, 503, ...conflicts) },
      detail: describeRemove(resource, schemas.params, referrers),
    },
  );
}
