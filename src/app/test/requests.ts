import type { buildApp } from "../app";

type Json = Record<string, unknown>;

/** Sends requests to the API of a test. */
export interface TestRequests {
  /** Sends a request. Resolves with the response, whatever its status. `path` begins with `/`. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Sends a request with a body as JSON, or without one. Resolves with the status of the response. */
  status(method: string, path: string, body?: unknown): Promise<number>;
  /**
   * Resolves with the body of the response, as JSON.
   *
   * @throws {Error} with the response, if its status is 400 or more.
   */
  get<Body = Json>(path: string): Promise<Body>;
  /** Sends a `POST`, and otherwise is as {@link get}. Omit `body` to send none. */
  post<Body = Json>(path: string, body?: unknown): Promise<Body>;
  /** Sends a `PUT`, and otherwise is as {@link get}. */
  put<Body = Json>(path: string, body: unknown): Promise<Body>;
  /** Sends a `PATCH` (JSON Merge Patch), and otherwise is as {@link get}. */
  patch<Body = Json>(path: string, body: unknown): Promise<Body>;
  /** Sends a `DELETE`. @throws {Error} as {@link get} does. */
  delete(path: string): Promise<void>;
}

/**
 * Returns requests to an application that does not listen.
 *
 * @param token sent with each request. Default: none.
 */
export function requestsTo(app: ReturnType<typeof buildApp>, token?: string): TestRequests {
  const request = async (path: string, init?: RequestInit) => {
    const sent = new Request(`http://localhost${path}`, init);
    if (token !== undefined) sent.headers.set("authorization", `Bearer ${token}`);
    return app.handle(sent);
  };
  const send = (method: string, path: string, body: unknown) => {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    return request(path, { method, ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": type } }) });
  };
  const text = async (method: string, path: string, body?: unknown) => {
    const response = await send(method, path, body);
    if (response.status < 400) return response.text();
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  };
  const json = async <Body>(method: string, path: string, body?: unknown) => JSON.parse(await text(method, path, body)) as Body;
  return {
    fetch: request,
    status: async (method, path, body) => (await send(method, path, body)).status,
    get: (path) => json("GET", path),
    post: (path, body) => json("POST", path, body),
    put: (path, body) => json("PUT", path, body),
    patch: (path, body) => json("PATCH", path, body),
    delete: async (path) => void (await text("DELETE", path)),
  };
}
