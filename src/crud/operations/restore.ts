import { Elysia } from "elysia";
import { noBody } from "../../http/no-body";
import { HttpProblem, problems } from "../../http/problem";
import type { ResourceTypes } from "../../schema/resource";
import { describeRestore } from "../descriptions";
import { onceOf } from "../idempotency-key";
import { answer, type Parts } from "../parts";
import { retention } from "./history";

/** `POST /:id/restore`: creates a deleted record again, in its last state. */
export function restore<T extends ResourceTypes>({ resource, schemas, storeFor }: Parts<T>) {
  const { name } = resource;
  return new Elysia().post(
    "/:id/restore",
    async ({ params: { id }, path, request }) => {
      const once = onceOf(resource, request, () => "");
      const stored = await storeFor(request).restore(resource, Number(id), { once });
      if (!stored) throw new HttpProblem(404, `The event log has no deletion of a ${name} ${id}. ${retention}`);
      return answer(stored, 201, { location: path.replace(/\/restore\/?$/, "") });
    },
    {
      params: schemas.params,
      ...noBody(),
      response: { 201: schemas.record, ...problems(400, 404, 409, 422, 429, 503) },
      detail: describeRestore(resource, schemas.params),
    },
  );
}
