import type { TSchema } from "@sinclair/typebox";
import { checkMediaType, jsonReader, maxBodyBytes } from "../http/json-body";
import { limitedBody } from "../http/limited-body";
import { HttpProblem, type Problem, problemInside } from "../http/problem";
import { type Piece, splitArray, splitLines } from "./split";

export const ndjson = "application/x-ndjson";
export const json = "application/json";

/** The largest bulk body that is read, in bytes. One record in it may have as many as in a body of its own. */
export const maxBulkBytes = 16 * 1024 * 1024;
export const maxBulkItems = 10_000;
/** With room for blank ones. A blank line costs a byte to send, and as much work as any other. */
const maxLines = 4 * maxBulkItems;
/** Of one record in a bulk: else the answer could be many times as long as the request. */
const maxMistakes = 10;
/** Read at a time; other requests get their turn in between. */
const sliceBytes = 16 * 1024;

/** A record in a bulk body, or what is wrong with it. */
export type BulkEntry<Fields> = { readonly place: number; readonly bytes: number } & (
  | { readonly fields: Fields; readonly problem?: undefined }
  | { readonly problem: Omit<Problem, "requestId"> }
);

export interface BulkBody<Fields> {
  readonly mediaType: string;
  readonly entries: readonly BulkEntry<Fields>[];
  /** Of the bytes; null for a request with no Idempotency-Key. */
  readonly fingerprint: string | null;
}

/**
 * Reads a bulk body to its end: nothing of one that breaks off is ever written. Each record is checked as it arrives,
 * so that no more than the records is kept.
 *
 * @param complete what a client may send to what is stored.
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
    const take = (pieces: Iterable<Piece>) => {
      for (const piece of pieces) {
        if (entries.length === maxBulkItems) throw new HttpProblem(413, `A bulk may have up to ${maxBulkItems} records.`);
        entries.push(entryOf(piece, (bytes) => complete(read(bytes)), isLines));
      }
    };
    for await (const chunk of limitedBody(request, maxBulkBytes, "The body of a bulk")) {
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

function entryOf<Fields>({ place, bytes }: Piece, read: (bytes: Uint8Array) => Fields, isLine: boolean): BulkEntry<Fields> {
  if (!bytes) return { place, bytes: 0, problem: problemInside(413, { detail: `A record may have up to ${maxBodyBytes} bytes.` }) };
  try {
    return { place, bytes: bytes.length, fields: read(bytes) };
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    // Each line is a JSON text of its own; an array with an element that is no JSON is none.
    if (!isLine && error.status === 400) throw new HttpProblem(400, `${error.message} Its index is ${place}.`);
    const { status, message: detail, errors } = error;
    return { place, bytes: bytes.length, problem: problemInside(status, { detail, errors: errors?.slice(0, maxMistakes) }) };
  }
}
