import type { buildApp } from "../app";
import type { AnswerOf, BodyOf } from "./route-types";

/** A path, for a call that names the type of the answer. */
type Named<Body> = [Body] extends [never] ? never : string;

/**
 * Sends requests to the API of a test. A path that the compiler knows, such as `/orders` or `/orders/${id}/pay`, has the types of its
 * route. Other paths take any body, and have an answer of any object, or of the type that you name: `get<{ id: number }>(path)`.
 */
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
  get<Body = never>(path: Named<Body>): Promise<Body>;
  get<const Path extends string>(path: Path): Promise<AnswerOf<Path, "get">>;
  /** Sends a `POST`, and otherwise is as {@link get}. Omit `body` to send none. */
  post<Body = never>(path: Named<Body>, body?: unknown): Promise<Body>;
  post<const Path extends string>(path: Path, body?: BodyOf<Path, "post">): Promise<AnswerOf<Path, "post">>;
  /** Sends a `PUT`, and otherwise is as {@link get}. */
  put<Body = never>(path: Named<Body>, body: unknown): Promise<Body>;
  put<const Path extends string>(path: Path, body: BodyOf<Path, "put">): Promise<AnswerOf<Path, "put">>;
  /** Sends a `PATCH` (JSON Merge Patch), and otherwise is as {@link get}. */
  patch<Body = never>(path: Named<Body>, body: unknown): Promise<Body>;
  patch<const Path extends string>(path: Path, body: BodyOf<Path, "patch">): Promise<AnswerOf<Path, "patch">>;
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
  // Its type is that of the route, or the one that the caller names.
  const json = async (method: string, path: string, body?: unknown) => JSON.parse(await text(method, path, body)) as never;
  return {
    fetch: request,
    status: async (method, path, body) => (await send(method, path, body)).status,
    get: (path: string) => json("GET", path),
    post: (path: string, body?: unknown) => json("POST", path, body),
    put: (path: string, body: unknown) => json("PUT", path, body),
    patch: (path: string, body: unknown) => json("PATCH", path, body),
    delete: async (path) => void (await text("DELETE", path)),
  };
}
