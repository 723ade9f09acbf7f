import { type TSchema, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { compressible } from "../http/compression";
import { typed } from "../http/page-query";
import { Problem } from "../http/problem";
import { refuseQuery } from "../http/query";
import { traceField } from "../observe/traceparent";
import type { Dependencies } from "../routing/route";
import type { Recorded } from "../schema/record";
import type { Resource } from "../schema/resource";
import { contextOf } from "./context";
import type { Input } from "./defaults";
import { idempotencyKey } from "./headers";
import { idempotencyKeyOf, onceOf, refuseKey } from "./idempotency-key";
import { type BulkBody, bulkReader, json, maxBulkItems, ndjson } from "./read-bulk";
import { bulkWriter } from "./write-bulk";

/** The outcome for one record of a bulk request. */
export type BulkResult<Name extends string, Fields> =
  | ({ index: number; status: 201 } & { [key in Name]: Recorded<Fields> })
  | { index: number; status: 400 | 413 | 422 | 503; problem: Omit<Problem, "requestId"> };

/** The response to a bulk request. */
export interface BulkAnswer<Name extends string, Fields> {
  created: number;
  failed: number;
  results: BulkResult<Name, Fields>[];
}

export interface BulkSchemas {
  /** Schema of the stored record. It must have a title. */
  readonly record: TSchema;
  /** Schema of a record that a client sends. */
  readonly input: TSchema;
}

/** `POST /bulk`: creates many records with one request. Each record is created or refused independently. */
export function bulk<Name extends string, Fields extends object>(
  resource: Resource<Name, string, Fields>,
  { record, input }: BulkSchemas,
  complete: (input: unknown) => Fields,
  { store, log }: Pick<Dependencies, "store" | "log">,
) {
  const { name, plural } = resource;
  const write = bulkWriter(resource, store);
  const answer = answerSchema(name, record, "index");
  const line = resultSchema(name, record, "line");
  const [sample] = input["examples"] as unknown[];
  const lineSample = { line: 1, status: 201, [name]: (record["examples"] as unknown[])[0] };

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
        log.error({ ...about, method: "POST", path, error: error.message }, "The store failed within a bulk; the rest of it was refused");
      };
      const results = await write({ entries, mediaType, context, once, onFailure }).catch(refuseKey);
      const text = mediaType === ndjson ? results.map((result) => `${result}\n`).join("") : summary(results);
      return compressible(new Response(text, { headers: { "content-type": mediaType } }), text) as never;
    },
    {
      transform: refuseQuery,
      // The type is for clients only. The bulk reader checks each record.
      body: Type.Unsafe<Input<Fields>[]>(Type.Any()),
      parse: bulkReader(input, complete),
      response: {
        200: typed<BulkAnswer<Name, Fields>>(answer),
        400: Problem,
        413: Problem,
        415: Problem,
        422: Problem,
        429: Problem,
        503: Problem,
      },
      detail: {
        tags: [plural],
        summary: `Create many ${plural}`,
        description: `Up to ${maxBulkItems} records in 16 MiB, as lines of JSON or as a JSON array. Each is created or refused by itself, and the answer says which; it has the form of the request. Publishes ${name}.created for each.`,
        parameters: [idempotencyKey],
        requestBody: {
          required: true,
          content: {
            [json]: { schema: Type.Array(input, { maxItems: maxBulkItems }), example: [sample] },
            [ndjson]: { schema: { type: "string" }, example: `${JSON.stringify(sample)}\n` },
          },
        },
        responses: {
          200: {
            description: "What became of each record, in their order.",
            content: {
              [json]: {
                schema: answer,
                example: { created: 1, failed: 0, results: [{ index: 0, status: 201, [name]: lineSample[name] }] },
              },
              [ndjson]: {
                schema: { type: "string", contentMediaType: json, contentSchema: line },
                example: `${JSON.stringify(lineSample)}\n`,
              },
            },
          },
        },
      } as object,
    },
  );
}

const succeeded = /^\{"index":\d+,"status":201,/;

function summary(results: readonly string[]): string {
  const created = results.filter((result) => succeeded.test(result)).length;
  return `{"created":${created},"failed":${results.length - created},"results":[${results.join(",")}]}`;
}

function resultSchema(name: string, record: TSchema, unit: "index" | "line"): TSchema {
  const place =
    unit === "index"
      ? Type.Integer({ minimum: 0, description: "Its place in the array, from 0." })
      : Type.Integer({ minimum: 1, description: "The number of its line, from 1." });
  return Type.Union([
    Type.Object({ [unit]: place, status: Type.Literal(201), [name]: record }),
    Type.Object({
      [unit]: place,
      status: Type.Integer({ description: "400: no JSON. 413: too long. 422: not valid. 503: it could not be written." }),
      problem: Type.Omit(Problem, ["requestId"], { title: "RecordProblem", description: "What is wrong with this record: RFC 9457." }),
    }),
  ]);
}

function answerSchema(name: string, record: TSchema, unit: "index"): TSchema {
  return Type.Object(
    { created: Type.Integer(), failed: Type.Integer(), results: Type.Array(resultSchema(name, record, unit)) },
    { title: `${record.title}Bulk` },
  );
}
