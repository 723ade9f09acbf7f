/** The problem of a request that the API refuses (RFC 9457). */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** Thrown if the API refuses a request. */
export class Refused extends Error {
  override readonly name = "Refused";
  constructor(readonly problem: Problem) {
    super([problem.detail ?? problem.title, ...(problem.errors ?? []).map(({ pointer, detail }) => `${pointer}: ${detail}`)].join(" "));
  }
}

/** Thrown if the API cannot be reached. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
  constructor(options?: ErrorOptions) {
    super("The service does not answer.", options);
  }
}

export interface Ask {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The page's part in the end of its session. */
export interface SessionEnds {
  /** Called when the API asks for a token. Resolves when there is a session again; undefined if the page shows nothing that could wait. */
  readonly onExpired: () => Promise<void> | undefined;
  /** Called when somebody has signed out. */
  readonly onSignedOut: () => void;
}

let ends: SessionEnds = { onExpired: () => undefined, onSignedOut: () => {} };

export function whenSessionEnds(call: SessionEnds): void {
  ends = call;
}

/**
 * Sends a request through the page's session. The address is relative to the page, wherever a proxy has put it. After the session has
 * ended, a question waits for the next one. A change is refused: who signs in next may be somebody else.
 *
 * @param path path of the API, such as `/events?limit=50`.
 * @throws {Refused} if the API refuses it.
 * @throws {Unreachable} if the API does not answer.
 */
export async function send(path: string, options: Ask = {}): Promise<Response> {
  const { method = "GET", body, signal, headers = {} } = options;
  let response: Response;
  try {
    response = await fetch(`api${path}`, {
      method,
      cache: "no-store",
      ...(signal && { signal }),
      headers: { "x-warren-console": "1", ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable({ cause: error });
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  const renewed = response.status === 401 ? ends.onExpired() : undefined;
  if (!renewed) throw new Refused(problem);
  if (method !== "GET" && method !== "OPTIONS")
    throw new Refused({ ...problem, detail: "Your session had ended, so nothing was changed. Try again." });
  await unlessAborted(renewed, signal);
  return send(path, options);
}

/** Like {@link send}, and resolves with the JSON of the answer. */
export async function ask<T>(path: string, options?: Ask): Promise<T> {
  return (await (await send(path, options)).json()) as T;
}

/** Signs in with a token. Resolves with why it was refused, or with undefined. */
export async function signIn(token: string): Promise<string | undefined> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ token }) };
  const response = await fetch("session", init).catch(() => undefined);
  if (response?.ok) return undefined;
  return response ? ((await problemOf(response)).detail ?? response.statusText) : new Unreachable().message;
}

export async function signOut(): Promise<void> {
  await fetch("session", { method: "DELETE" });
  ends.onSignedOut();
}

function unlessAborted(waited: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    void waited.then(resolve);
  });
}

/** A proxy may answer with a page of its own. */
async function problemOf(response: Response): Promise<Problem> {
  const fallback = { status: response.status, title: response.statusText || `Status ${response.status}` };
  return { ...fallback, ...((await response.json().catch(() => ({}))) as Partial<Problem>) };
}
