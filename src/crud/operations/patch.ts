import { Elysia } from "elysia";
import { jsonBody } from "../../http/json-body";
import { HttpProblem, problems } from "../../http/problem";
import { mistakesIn } from "../../schema/check";
import type { Resource } from "../../schema/resource";
import { changeContextOf } from "../context";
import { complete } from "../defaults";
import { describePatch, patchMediaType } from "../descriptions";
import { mergePatch } from "../merge-patch";
import { answer, found, type Parts } from "../parts";

/** `PATCH /:id`: changes fields of a record. */
export function patch<Fields extends object>({ resource, schemas, store }: Parts<Fields>) {
  const { name } = resource;
  return new Elysia().patch(
    "/:id",
    async ({ params: { id }, body, request }) => {
      const change = (current: object) => patched(resource, current, body);
      return answer(found(await store.update(resource, Number(id), change, changeContextOf(request, name)), name, id));
    },
    {
      params: schemas.params,
      ...jsonBody(schemas.patch, patchMediaType, "application/json"),
      response: { 200: schemas.record, ...problems(400, 404, 412, 415, 422, 503) },
      detail: describePatch(resource, schemas.params),
    },
  );
}

function patched<Fields extends object>(resource: Resource<string, string, Fields>, current: object, change: unknown): Fields {
  const fields = complete(resource, mergePatch(fieldsOf(resource, current), change));
  const mistakes = mistakesIn(resource.fields, fields);
  if (mistakes.length === 0) return fields;
  throw new HttpProblem(422, `The patch would make the ${resource.name} invalid.`, mistakes);
}

function fieldsOf(resource: Resource, record: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(resource.fields.properties).map((name) => [name, (record as Record<string, unknown>)[name]]));
}
