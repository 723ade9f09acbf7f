import { Elysia } from "elysia";
import { jsonBody } from "../../http/json-body";
import { problems } from "../../http/problem";
import type { ResourceTypes } from "../../schema/resource";
import type { Stored } from "../../store/stored";
import { complete } from "../defaults";
import { describeCreate } from "../descriptions";
import { fingerprintOf, idempotencyKeyOf, onceOf, refuseKey } from "../idempotency-key";
import { answer, type Parts } from "../parts";

/** `POST /`: creates a record. */
export function create<T extends ResourceTypes>({ resource, schemas, storeFor }: Parts<T>) {
  const insert = async (body: unknown, path: string, request: Request): Promise<Stored> => {
    const key = idempotencyKeyOf(request.headers);
    const fields = complete(resource, body);
    const store = storeFor(request);
    if (key === undefined) return store.insert(resource, fields);
    const once = onceOf({ key, path, authorization: request.headers.get("authorization"), fingerprint: fingerprintOf(body) });
    const answerOf = ([created]: readonly Stored[]) => (created as Stored).json;
    const json = await storeFor(request).insertAll(resource, [fields], answerOf, { once }).catch(refuseKey);
    const { id, version } = JSON.parse(json) as Stored;
    return { id, version, json };
  };

  return new Elysia().post(
    "",
    async ({ body, path, request }) => {
      const stored = await insert(body, path, request);
      return answer(stored, 201, { location: `${path.replace(/\/$/, "")}/${stored.id}` });
    },
    {
      ...jsonBody(schemas.input, "application/json"),
      response: { 201: schemas.record, ...problems(400, 415, 422, 429, 503) },
      detail: describeCreate(resource),
    },
  );
}
