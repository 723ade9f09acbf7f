// Test kit for routes: the real application on a store in a temporary folder. No broker, no port.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiToken, type Scope, scopes } from "../config/api-access";
import { readConfig } from "../config/config";
import { startEngine } from "../engine/engine";
import { clientsBehind } from "../http/client-address";
import { createLog } from "../observe/logging";
import { Metrics } from "../observe/metrics";
import { loadCatalogue } from "../project/resources";
import { buildApp } from "./app";
import { loadProject } from "./project";

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
 * The project's API, with the routes of `routes/` and the resources of `src/domain/`, for a test. Its own requests need no token, and
 * have no actor.
 */
export interface TestService extends TestRequests, AsyncDisposable {
  /**
   * Returns the same API as one that requires tokens, with requests that carry one.
   *
   * @param name who sends the requests: the subject of the actor. `as("admin")` is short for `as("admin", "admin")`.
   * @param scope default: `write`.
   * @param claims the claims of a JWT, such as `{ org_id: "A" }` for a resource with tenants.
   *   Default: a token in API_TOKEN, which has none.
   * @example
   * expect(await service.as("eve").status("GET", "/orders/1")).toBe(404);
   */
  as(name: string, scope?: Scope, claims?: Readonly<Record<string, unknown>>): TestRequests;
  /** Closes the store and deletes its folder. `await using` does so automatically. */
  close(): Promise<void>;
}

/**
 * Starts the project's API for a test. It has an empty store of its own, so tests do not affect each other. It does not listen. Consumers
 * do not run: test them with `testConsumer`.
 *
 * @throws {RouterError} for a mistake in `routes/`.
 * @example
 * await using service = await testService();
 * const { id } = await service.post("/tickets", { title: "Broken door" });
 * expect(await service.get(`/tickets/${id}`)).toMatchObject({ title: "Broken door" });
 */
export async function testService(): Promise<TestService> {
  const { routes } = await loadProject();
  const folder = mkdtempSync(join(tmpdir(), "warren-test-"));
  const environment = { RABBITMQ_URL: "none", DATABASE_URL: `sqlite:${join(folder, "warren.db")}` };
  const config = readConfig({ isTerminal: false, environment });
  const log = createLog({ level: "silent", format: "json", stream: 2 });
  const engine = await startEngine(config, await loadCatalogue(), log);
  const stopping = new AbortController();
  const close = async () => {
    stopping.abort();
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const dependencies = { ...engine.dependencies, clientOf: clientsBehind(config.trustedProxies), stopping: stopping.signal };
  const serve = (apiTokens: readonly ApiToken[], metrics = dependencies.metrics) =>
    buildApp({ routes, config: { ...config, apiTokens }, log, dependencies: { ...dependencies, metrics } });
  const asActor: TestService["as"] = (name, scope = isScope(name) ? name : "write", claims) => {
    const token = crypto.randomUUID();
    return requestsTo(serve([{ token, scope, name, claims }], new Metrics(log)), token);
  };
  try {
    return { ...requestsTo(serve([])), as: asActor, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function isScope(name: string): name is Scope {
  return (scopes as readonly string[]).includes(name);
}

/** @param token sent with each request. Default: none. */
function requestsTo(app: ReturnType<typeof buildApp>, token?: string): TestRequests {
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
