import { Elysia } from "elysia";
import { jsonBody } from "../../http/json-body";
import { problems } from "../../http/problem";
import type { ResourceTypes } from "../../schema/resource";
import { complete } from "../defaults";
import { describeReplace } from "../descriptions";
import { answer, conflicts, found, type Parts } from "../parts";
import { conditionsOf } from "../request-conditions";

/** `PUT /:id`: replaces a record. */
export function replace<T extends ResourceTypes>({ resource, schemas, storeFor }: Parts<T>) {
  const { name } = resource;
  return new Elysia().put(
    "/:id",
    async ({ params: { id }, body, request }) => {
      const fields = complete(resource, body);
      const stored = await storeFor(request).update(resource, Number(id), () => fields, conditionsOf(resource, request, body));
      return answer(found(stored, name, id));
    },
    {
      params: schemas.params,
      ...jsonBody(schemas.input, "application/json"),
      response: { 200: schemas.record, ...problems(400, 404, 412, 415, 422, 429, 503, ...conflicts(resource)) },
      detail: describeReplace(resource, schemas.params),
    },
  );
}
