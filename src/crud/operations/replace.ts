import { Elysia } from "elysia";
import { jsonBody } from "../../http/json-body";
import { problems } from "../../http/problem";
import type { Resource, ResourceTypes } from "../../schema/resource";
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
      const change = (current: object) => ({ ...fields, ...privateOf(resource, current, body as object) });
      const stored = await storeFor(request).update(resource, Number(id), change, conditionsOf(resource, request, body));
      return answer(found(stored, name, id));
    },
    {
      params: schemas.params,
      ...jsonBody(schemas.replacement, "application/json"),
      response: { 200: schemas.record, ...problems(400, 404, 412, 415, 422, 429, 503, ...conflicts(resource)) },
      detail: describeReplace(resource, schemas.params),
    },
  );
}

/** Returns the private fields of a record that a request leaves out. Its sender cannot read them, and so does not mean to change them. */
function privateOf<T extends ResourceTypes>({ private: hidden, input }: Resource<T>, current: object, body: object): Partial<T["input"]> {
  const kept = hidden.filter((field) => field in input.properties && !Object.hasOwn(body, field) && field in current);
  return Object.fromEntries(kept.map((field) => [field, (current as Record<string, unknown>)[field]])) as Partial<T["input"]>;
}
