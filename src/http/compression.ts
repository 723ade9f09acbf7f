import type { Context } from "elysia";
import { acceptedCoding, type Coding } from "./accepted-coding";

/** A smaller body fits into one packet with its headers, whatever is done to it. */
const leastLength = 1024;
/** A larger body is compressed on another thread. */
const inlineLength = 64 * 1024;
const gzipLevel = 4;
const zstdLevel = 3;

type Body = string | Uint8Array<ArrayBuffer>;

/** A body that is always the same: compressed once for each coding, when the first client asks for it, and kept. */
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
 * Notes that an answer may go out compressed to clients that accept it. Not for one with an `ETag`, which names exactly
 * these bytes (RFC 9110, 8.8.3.3), nor for a stream, which would be held up.
 *
 * @param source the body of the answer. A short text is sent as it is.
 */
export function compressible(response: Response, source: string | Fixed): Response {
  if (typeof source !== "string" || source.length >= leastLength) (response as Compressible)[body] = source;
  return response;
}

/**
 * A hook of Elysia's for what handlers return besides an answer: an object, an array or a text that is long enough. Undefined
 * leaves it to Elysia, as where a handler has set headers, one of which may be an `ETag`, a cookie or a status.
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

/** The answer as a client accepts it. One that was not noted as {@link compressible} costs a look at a property. */
export function compressed(request: Request, response: Response): Response | Promise<Response> {
  const source = (response as Compressible)[body];
  if (source === undefined) return response;
  response.headers.append("vary", "Accept-Encoding");
  const coding = acceptedCoding(request.headers.get("accept-encoding"));
  return coding === undefined ? response : encoded(response, source, coding);
}

async function encoded({ status, headers }: Response, source: string | Fixed, coding: Coding): Promise<Response> {
  headers.set("content-encoding", coding);
  const bytes = source instanceof Fixed ? source.compressed(coding) : compress(source, coding);
  return new Response(await bytes, { status, headers });
}

function compress(source: Body, coding: Coding): Uint8Array | Promise<Uint8Array> {
  const inline = source.length <= inlineLength;
  if (coding === "zstd") return (inline ? Bun.zstdCompressSync : Bun.zstdCompress)(source, { level: zstdLevel });
  return inline ? Bun.gzipSync(source, { level: gzipLevel }) : gzipAside(source);
}

async function gzipAside(source: Body): Promise<Uint8Array> {
  // Here and not above: few starts need it.
  const { gzip } = await import("node:zlib");
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  gzip(source, { level: gzipLevel }, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  return promise;
}
