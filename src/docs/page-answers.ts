import { compressible, Fixed } from "../http/compression";

/** Returns a handler for a short text that never changes. Browsers revalidate it before each use. */
export function fixedText(body: string, type: string, headers?: Record<string, string>): () => Response {
  return () => new Response(body, { headers: { "content-type": `${type}; charset=utf-8`, "cache-control": "no-cache", ...headers } });
}

/** Returns a handler for a file of a package. Browsers may cache the file for an hour. */
export function file(path: string, type: string): () => Response {
  const headers = { "content-type": type, "cache-control": "max-age=3600" };
  const source = new Fixed(() => Bun.file(path).bytes());
  return () => compressible(new Response(Bun.file(path), { headers }), source);
}

/** Returns a handler for a JSON document. The document is built on the first request and then kept. */
export function document(make: () => object | Promise<object>): () => Promise<Response> {
  let made: Promise<{ text: string; source: Fixed }> | undefined;
  const keep = async () => {
    const text = JSON.stringify(await make());
    return { text, source: new Fixed(() => text) };
  };
  return async () => {
    made ??= keep();
    const { text, source } = await made;
    return compressible(new Response(text, { headers: { "content-type": "application/json" } }), source);
  };
}
