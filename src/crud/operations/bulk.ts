import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { compressible } from "../../http/compression";
import { problems } from "../../http/problem";
import { refuseQuery } from "../../http/query";
import { traceField } from "../../observe/traceparent";
import { contextOf } from "../context";
import { complete, type Input } from "../defaults";
import { type BulkAnswer, bulkAnswer, describeBulk } from "../describe-bulk";
import { idempotencyKeyOf, onceOf, refuseKey } from "../idempotency-key";
import type { Parts } from "../parts";
import { type BulkBody, bulkReader, ndjson } from "../read-bulk";
import { typed } from "../resource-schemas";
import { bulkWriter } from "../write-bulk";

/** `POST /bulk`: creates many records with one request. Each record is created or refused independently. */
export function bulk<Name extends string, Fields extends object>({
  resource,
  schemas: { record, input },
  store,
  log,
}: Parts<Fields, string, Name>) {
  const write = bulkWriter(resource, store);
  const answer = bulkAnswer(resource.name, record);
  return new Elysia().post(
    "/bulk",
    async ({ body, path, server, request }) => {
      // No idle timeout: this request may have to wait for many other bulk requests.
      server?.timeout(request, 0);
      const { mediaType, entries, fingerprint } = body as unknown as BulkBody<Fields>;
      const key = idempotencyKeyOf(request.headers);
      const once =
        key === undefined || fingerprint === null
          ? undefined
          : (part: number) => onceOf({ key, path, authorization: request.headers.get("authorization"), fingerprint }, part);
      const context = contextOf(request);
      const onFailure = (error: Error) => {
        const about = { requestId: context.requestId, ...traceField(context.traceparent) };
        log.error(
          { ...about, method: "POST", path, error: error.message },
          "The store failed during a bulk request; its remaining records were refused",
        );
      };
      const results = await write({ entries, mediaType, context, once, onFailure }).catch(refuseKey);
      const text = mediaType === ndjson ? results.map((result) => `${result}\n`).join("") : summary(results);
      return compressible(new Response(text, { headers: { "content-type": mediaType } }), text) as never;
    },
    {
      transform: refuseQuery,
      // The type is for clients only. The bulk reader checks each record.
      body: Type.Unsafe<Input<Fields>[]>(Type.Any()),
      parse: bulkReader(input, (valid) => complete(resource, valid)),
      response: { 200: typed<BulkAnswer<Name, Fields>>(answer), ...problems(400, 413, 415, 422, 429, 503) },
      detail: describeBulk(resource, record, input, answer),
    },
  );
}

const succeeded = /^\{"index":\d+,"status":201,/;

function summary(results: readonly string[]): string {
  const created = results.filter((result) => succeeded.test(result)).length;
  return `{"created":${created},"failed":${results.length - created},"results":[${results.join(",")}]}`;
}
