// The bulk operation in the OpenAPI document.
import { type TSchema, Type } from "@sinclair/typebox";
import { Problem } from "../http/problem";
import type { Recorded } from "../schema/record";
import type { Resource, ResourceTypes } from "../schema/resource";
import { idempotencyKey } from "./headers";
import { json, maxBulkItems, ndjson } from "./read-bulk";

/** The outcome for one record of a bulk request. */
export type BulkResult<T extends ResourceTypes> =
  | ({ index: number; status: 201 } & { [key in T["name"]]: Recorded<T["shown"]> })
  | { index: number; status: 400 | 409 | 413 | 422 | 500 | 503; problem: Omit<Problem, "requestId"> };

/** The response to a bulk request. */
export interface BulkAnswer<T extends ResourceTypes> {
  created: number;
  failed: number;
  results: BulkResult<T>[];
}

/**
 * @param record schema of the stored record. It must have a title and an example.
 * @param input schema of a record that a client sends. It must have an example.
 * @param answer schema of the response, from {@link bulkAnswer}.
 */
export function describeBulk({ name, plural }: Resource, record: TSchema, input: TSchema, answer: TSchema): object {
  const [sample] = input["examples"] as unknown[];
  const outcome = { status: 201, [name]: (record["examples"] as unknown[])[0] };
  return {
    tags: [plural],
    summary: `Create many ${plural}`,
    description: `Up to ${maxBulkItems} records in 16 MiB, as lines of JSON or as a JSON array. Each record succeeds or fails independently. The response has a result per record, in the format of the request. Publishes ${name}.created for each created record.`,
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
        description: "The result of each record, in the order of the request.",
        content: {
          [json]: { schema: answer, example: { created: 1, failed: 0, results: [{ index: 0, ...outcome }] } },
          [ndjson]: {
            schema: { type: "string", contentMediaType: json, contentSchema: resultSchema(name, record, "line") },
            example: `${JSON.stringify({ line: 1, ...outcome })}\n`,
          },
        },
      },
    },
  };
}

/** Returns the schema of the response to a bulk request. */
export function bulkAnswer(name: string, record: TSchema): TSchema {
  return Type.Object(
    { created: Type.Integer(), failed: Type.Integer(), results: Type.Array(resultSchema(name, record, "index")) },
    { title: `${record.title}Bulk` },
  );
}

function resultSchema(name: string, record: TSchema, unit: "index" | "line"): TSchema {
  const place =
    unit === "index"
      ? Type.Integer({ minimum: 0, description: "Index of the record in the array, from 0." })
      : Type.Integer({ minimum: 1, description: "Line number of the record, from 1." });
  return Type.Union([
    Type.Object({ [unit]: place, status: Type.Literal(201), [name]: record }),
    Type.Object({
      [unit]: place,
      status: Type.Integer({
        description:
          "400: not JSON. 409: conflict. 413: too large. 422: not valid. 500: unexpected error. 503: not written, because the store failed.",
      }),
      problem: Type.Omit(Problem, ["requestId"], { title: "RecordProblem", description: "Problem details for this record (RFC 9457)." }),
    }),
  ]);
}
