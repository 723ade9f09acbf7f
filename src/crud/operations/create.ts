import { Elysia } from "elysia";
import { jsonBody } from "../../http/json-body";
import { problems } from "../../http/problem";
import type { ResourceTypes } from "../../schema/resource";
import { complete } from "../defaults";
import { describeCreate } from "../descriptions";
import { fingerprintOf, onceOf } from "../idempotency-key";
import { answer, conflicts, type Parts } from "../parts";

/** `POST /`: creates a record. */
export function create<T extends ResourceTypes>({ resource, schemas, storeFor }: Parts<T>) {
  return new Elysia().post(
    "",
    async ({ body, path, request }) => {
      const once = onceOf(resource, request, () => fingerprintOf(body));
      const stored = await storeFor(request).insert(resource, complete(resource, body), { once });
      return answer(stored, 201, { location: `${path.replace(/\/$/, "")}/${stored.id}` });
    },
    {
      ...jsonBody(schemas.input, "application/json"),
      response: { 201: schemas.record, ...problems(400, 415, 422, 429, 503, ...conflicts(resource)) },
      detail: describeCreate(resource),
    },
  );
}
