import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { compressible } from "../../http/compression";
import { problems } from "../../http/problem";
import { refuseQuery } from "../../http/query";
import { requestFields } from "../../http/request-log";
import type { Input, ResourceTypes } from "../../schema/resource";
import { complete } from "../defaults";
import { type BulkAnswer, bulkAnswer, describeBulk } from "../describe-bulk";
import { onceOf } from "../idempotency-key";
import type { Parts } from "../parts";
import { type BulkBody, bulkReader, ndjson } from "../read-bulk";
import { typed } from "../resource-schemas";
import { bulkWriter } from "../write-bulk";

/** `POST /bulk`: creates many records with one request. Each record is created or refused independently. */
export function bulk<T extends ResourceTypes>({ resource, schemas: { record, input }, storeFor, log }: Parts<T>) {
  const write = bulkWriter(resource);
  const answer = bulkAnswer(resource.name, record);
  return new Elysia().post(
    "/bulk",
    async ({ body, path, server, request }) => {
      // No idle timeout: this request may have to wait for many other bulk requests.
      server?.timeout(request, 0);
      const { mediaType, entries, fingerprint } = body as unknown as BulkBody<T["input"]>;
      const once = fingerprint === null ? undefined : onceOf(resource, request, () => fingerprint);
      const logged = (error: Error, what: string) => {
        log.error({ ...requestFields(request), method: "POST", path, error: error.message, stack: error.stack }, what);
      };
      const results = await write({ entries, mediaType, store: storeFor(request), once, logged });
      const text = mediaType === ndjson ? results.map((result) => `${result}\n`).join("") : summary(results);
      return compressible(new Response(text, { headers: { "content-type": mediaType } }), text) as never;
    },
    {
      transform: refuseQuery,
      // The type is for clients only. The bulk reader checks each record.
      body: Type.Unsafe<Input<T["input"]>[]>(Type.Any()),
      parse: bulkReader(input, (valid) => complete(resource, valid)),
      response: { 200: typed<BulkAnswer<T>>(answer), ...problems(400, 413, 415, 422, 429, 503) },
      detail: describeBulk(resource, record, input, answer),
    },
  );
}

const succeeded = /^\{"index":\d+,"status":201,/;

function summary(results: readonly string[]): string {
  const created = results.filter((result) => succeeded.test(result)).length;
  return `{"created":${created},"failed":${results.length - created},"results":[${results.join(",")}]}`;
}
