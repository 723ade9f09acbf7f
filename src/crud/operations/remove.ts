import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { problems } from "../../http/problem";
import { refuseQuery } from "../../http/query";
import { changeContextOf } from "../context";
import { describeRemove } from "../descriptions";
import { found, type Parts } from "../parts";

/** `DELETE /:id`: deletes a record. */
export function remove<Fields extends object>({ resource, schemas, store }: Parts<Fields>) {
  const { name } = resource;
  return new Elysia().delete(
    "/:id",
    async ({ params: { id }, request }) => {
      found(await store.remove(resource, Number(id), changeContextOf(request, name)), name, id);
      return new Response(null, { status: 204 }) as never;
    },
    {
      params: schemas.params,
      transform: refuseQuery,
      response: { 204: Type.Undefined({ description: "Deleted." }), ...problems(400, 404, 412, 422, 503) },
      detail: describeRemove(resource, schemas.params),
    },
  );
}
