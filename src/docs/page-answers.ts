/** Answers a text that is always the same. */
export function text(body: string, type: string, headers?: Record<string, string>): () => Response {
  return () => new Response(body, { headers: { "content-type": `${type}; charset=utf-8`, "cache-control": "no-cache", ...headers } });
}

/** Answers a file of a package; a browser may keep it for an hour. */
export function file(path: string, type: string): () => Response {
  return () => new Response(Bun.file(path), { headers: { "content-type": type, "cache-control": "max-age=3600" } });
}
