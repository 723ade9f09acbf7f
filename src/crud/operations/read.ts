import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { problems } from "../../http/problem";
import { refuseQuery } from "../../http/query";
import type { ResourceTypes } from "../../schema/resource";
import { describeRead } from "../descriptions";
import { answer, found, type Parts } from "../parts";
import { etagOf, isUnchanged } from "../preconditions";

/** `GET /:id`: reads a record. */
export function read<T extends ResourceTypes>({ resource, schemas, storeFor }: Parts<T>) {
  const { name } = resource;
  return new Elysia().get(
    "/:id",
    async ({ params: { id }, request }) => {
      const stored = found(await storeFor(request).get(resource, Number(id)), name, id);
      if (isUnchanged(name, request.headers, stored))
        return new Response(null, { status: 304, headers: { etag: etagOf(stored) } }) as never;
      return answer(stored);
    },
    {
      params: schemas.params,
      transform: refuseQuery,
      response: {
        200: schemas.record,
        304: Type.Undefined({ description: "The record matches an ETag in If-None-Match." }),
        ...problems(400, 404, 412, 422, 503),
      },
      detail: describeRead(resource, schemas.params),
    },
  );
}
