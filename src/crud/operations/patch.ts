import { Elysia } from "elysia";
import { jsonBody } from "../../http/json-body";
import { HttpProblem, problems } from "../../http/problem";
import { mistakesIn } from "../../schema/check";
import type { Resource, ResourceTypes } from "../../schema/resource";
import { complete } from "../defaults";
import { describePatch, patchMediaType } from "../descriptions";
import { mergePatch } from "../merge-patch";
import { answer, conflicts, found, type Parts } from "../parts";
import { conditionsOf } from "../request-conditions";

/** `PATCH /:id`: changes fields of a record. */
export function patch<T extends ResourceTypes>({ resource, schemas, storeFor }: Parts<T>) {
  const { name } = resource;
  return new Elysia().patch(
    "/:id",
    async ({ params: { id }, body, request }) => {
      const change = (current: object) => patched(resource, current, body);
      const stored = await storeFor(request).update(resource, Number(id), change, conditionsOf(resource, request, body));
      return answer(found(stored, name, id));
    },
    {
      params: schemas.params,
      ...jsonBody(schemas.patch, patchMediaType, "application/json"),
      response: { 200: schemas.record, ...problems(400, 404, 412, 415, 422, 429, 503, ...conflicts(resource)) },
      detail: describePatch(resource, schemas.params),
    },
  );
}

function patched<T extends ResourceTypes>(resource: Resource<T>, current: object, change: unknown): T["input"] {
  const fields = complete(resource, mergePatch(inputOf(resource, current), change));
  const mistakes = mistakesIn(resource.input, fields);
  if (mistakes.length === 0) return fields;
  throw new HttpProblem(422, `The patch would make the ${resource.name} invalid.`, mistakes);
}

function inputOf(resource: Resource, record: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(resource.input.properties).map((name) => [name, (record as Record<string, unknown>)[name]]));
}
