import { Elysia } from "elysia";
import { jsonBody } from "../../http/json-body";
import { problems } from "../../http/problem";
import { changeContextOf } from "../context";
import { complete } from "../defaults";
import { describeReplace } from "../descriptions";
import { answer, found, type Parts } from "../parts";

/** `PUT /:id`: replaces a record. */
export function replace<Fields extends object>({ resource, schemas, store }: Parts<Fields>) {
  const { name } = resource;
  return new Elysia().put(
    "/:id",
    async ({ params: { id }, body, request }) => {
      const fields = complete(resource, body);
      return answer(found(await store.update(resource, Number(id), () => fields, changeContextOf(request, name)), name, id));
    },
    {
      params: schemas.params,
      ...jsonBody(schemas.input, "application/json"),
      response: { 200: schemas.record, ...problems(400, 404, 412, 415, 422, 503) },
      detail: describeReplace(resource, schemas.params),
    },
  );
}
