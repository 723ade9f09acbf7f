import type { TSchema } from "@sinclair/typebox";
import { checkMediaType, jsonReader, maxBodyBytes } from "../http/json-body";
import { limitedBody } from "../http/limited-body";
import { HttpProblem, type Problem, problemInside } from "../http/problem";
import { type JsonPiece, splitArray, splitLines } from "./split";

export const ndjson = "application/x-ndjson";
export const json = "application/json";

/** Maximum size of a bulk body, in bytes. Each record in it may have up to {@link maxBodyBytes}. */
export const maxBulkBytes = 16 * 1024 * 1024;
/** Maximum number of records in a bulk. */
export const maxBulkItems = 10_000;
/** Maximum number of lines, blank ones included. A blank line costs one byte to send, but as much work as any other. */
const maxLines = 4 * maxBulkItems;
/** Maximum number of mistakes reported per record. Without a limit, the response could be much longer than the request. */
export const maxMistakesPerRecord = 10;
/** Number of bytes to process before other requests get a turn. */
const sliceBytes = 16 * 1024;

/** A record in a bulk body, or the problem with it. */
export type BulkEntry<Fields> = { readonly place: number; readonly bytes: number } & (
  | { readonly fields: Fields; readonly problem?: undefined }
  | { readonly problem: Omit<Problem, "requestId"> }
);

export interface BulkBody<Fields> {
  readonly mediaType: string;
  readonly entries: readonly BulkEntry<Fields>[];
  /** Hash of the body's bytes, or null if the request has no Idempotency-Key. */
  readonly fingerprint: string | null;
}

/**
 * Returns a reader of bulk bodies. It reads a body to its end, so that nothing of an interrupted body is written. It checks
 * each record as it arrives, so that only the records are kept in memory.
 *
 * @param complete converts a record from the form in requests to the stored form.
 * @returns a reader that throws an {@link HttpProblem}. It is 415 for another media type, and 413 for a body that is too large
 * or has too many records or lines. It is 400 or 422 for a malformed array.
 */
export function bulkReader<Fields>(schema: TSchema, complete: (input: unknown) => Fields) {
  const readLine = jsonReader(schema, "line");
  const readElement = jsonReader(schema, "element");
  return async ({ request }: { request: Request }): Promise<BulkBody<Fields>> => {
    const mediaType = checkMediaType(request, [ndjson, json]);
    const isLines = mediaType === ndjson;
    const read = isLines ? readLine : readElement;
    const splitter = isLines ? splitLines(maxBodyBytes, maxLines) : splitArray(maxBodyBytes);
    const hash = request.headers.has("idempotency-key") ? new Bun.CryptoHasher("sha256").update(mediaType) : undefined;
    const entries: BulkEntry<Fields>[] = [];
    const take = (pieces: Iterable<JsonPiece>) => {
      for (const piece of pieces) {
        if (entries.length === maxBulkItems) throw new HttpProblem(413, `A bulk request may have at most ${maxBulkItems} records.`);
        entries.push(entryOf(piece, (bytes) => complete(read(bytes)), isLines));
      }
    };
    for await (const chunk of limitedBody(request, maxBulkBytes, "The body of a bulk request")) {
      hash?.update(chunk);
      for (let start = 0; start < chunk.length; start += sliceBytes) {
        take(splitter.push(chunk.subarray(start, start + sliceBytes)));
        await new Promise(setImmediate);
      }
    }
    take(splitter.end());
    return { mediaType, entries, fingerprint: hash?.digest("base64url") ?? null };
  };
}

function entryOf<Fields>({ place, bytes }: JsonPiece, read: (bytes: Uint8Array) => Fields, isLine: boolean): BulkEntry<Fields> {
  if (!bytes) return { place, bytes: 0, problem: problemInside(413, { detail: `A record may have at most ${maxBodyBytes} bytes.` }) };
  try {
    return { place, bytes: bytes.length, fields: read(bytes) };
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    // Each line is its own JSON text. But an array with an invalid element is not valid JSON as a whole.
    if (!isLine && error.status === 400) throw new HttpProblem(400, `${error.message} Its index is ${place}.`);
    const { status, message: detail, errors } = error;
    return { place, bytes: bytes.length, problem: problemInside(status, { detail, errors: errors?.slice(0, maxMistakesPerRecord) }) };
  }
}
