import type { Context } from "elysia";
import { acceptedCoding, type Coding } from "./accepted-coding";

/** Minimum length of a compressed body. A smaller body fits into one packet with its headers anyway. */
const leastLength = 1024;
/** Maximum length of a body that is compressed synchronously. A larger one is compressed on another thread. */
const inlineLength = 64 * 1024;
const gzipLevel = 4;
const zstdLevel = 3;

type Body = string | Uint8Array<ArrayBuffer>;

/** A body that never changes. It is compressed once per coding, on first request, and then kept. */
export class Fixed {
  readonly #compressed = new Map<Coding, Promise<Uint8Array>>();

  constructor(readonly read: () => Body | Promise<Body>) {}

  compressed(coding: Coding): Promise<Uint8Array> {
    const known = this.#compressed.get(coding);
    if (known) return known;
    const compressed = Promise.resolve(this.read()).then((whole) => compress(whole, coding));
    this.#compressed.set(coding, compressed);
    compressed.catch(() => this.#compressed.delete(coding));
    return compressed;
  }
}

const body = Symbol("body");
type Compressible = Response & { [body]?: string | Fixed };

/**
 * Marks a response as compressible for clients that accept it. Do not mark a response with an `ETag`, which identifies
 * exactly these bytes (RFC 9110, section 8.8.3.3), or a stream, which compression would delay.
 *
 * @param source the body of the response. A short text is never compressed.
 */
export function compressible(response: Response, source: string | Fixed): Response {
  if (typeof source !== "string" || source.length >= leastLength) (response as Compressible)[body] = source;
  return response;
}

/**
 * An Elysia hook for handlers that return a value instead of a response. It returns a compressible response for a long
 * enough object, array or text. Otherwise it returns undefined, and Elysia handles the value. This includes handlers that set
 * a cookie, a status or headers, one of which may be an `ETag`.
 */
export function compressibleValue({ responseValue, set }: { responseValue: unknown; set: Context["set"] }): Response | undefined {
  const isText = typeof responseValue === "string";
  if (!isText && !Array.isArray(responseValue) && (responseValue as object | null)?.constructor !== Object) return undefined;
  for (const _ in set.headers) return undefined;
  if (set.cookie !== undefined || set.status !== 200) return undefined;
  const text = isText ? responseValue : JSON.stringify(responseValue);
  if (text.length < leastLength) return undefined;
  const headers = { "content-type": isText ? "text/plain;charset=utf-8" : "application/json;charset=utf-8" };
  return compressible(new Response(text, { headers }), text);
}

/** Returns the response in the coding that the client prefers. A response not marked {@link compressible} is unchanged. */
export function compressed(request: Request, response: Response): Response | Promise<Response> {
  const source = (response as Compressible)[body];
  if (source === undefined) return response;
  response.headers.append("vary", "Accept-Encoding");
  const coding = acceptedCoding(request.headers.get("accept-encoding"));
  return coding === undefined ? response : encoded(response, source, coding);
}

async function encoded({ status, headers }: Response, source: string | Fixed, coding: Coding): Promise<Response> {
  headers.set("content-encoding", coding);
  const bytes = typeof source === "string" ? compress(source, coding) : source.compressed(coding);
  return new Response(await bytes, { status, headers });
}

function compress(source: Body, coding: Coding): Uint8Array | Promise<Uint8Array> {
  const inline = source.length <= inlineLength;
  if (coding === "zstd") return (inline ? Bun.zstdCompressSync : Bun.zstdCompress)(source, { level: zstdLevel });
  return inline ? Bun.gzipSync(source, { level: gzipLevel }) : gzipAside(source);
}

async function gzipAside(source: Body): Promise<Uint8Array> {
  // Imported on first use, because few processes need it.
  const { gzip } = await import("node:zlib");
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  gzip(source, { level: gzipLevel }, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  return promise;
}
