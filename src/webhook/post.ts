import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { bareHost } from "./address";

/** Of an answer's body, no more is read; it is of no use but for the connection, which can be used again after it. */
const maxAnswerBytes = 64 * 1024;
/** A connection that has idled longer is not used again. */
const idleTimeoutMs = 10_000;

const agents = {
  "http:": new http.Agent({ keepAlive: true, timeout: idleTimeoutMs }),
  "https:": new https.Agent({ keepAlive: true, timeout: idleTimeoutMs }),
};

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

export interface Post {
  readonly url: URL;
  /** Where to connect, tried in turn until one is reached. Nothing else is connected to; the host name only goes into TLS and `host`. */
  readonly addresses: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/**
 * Sends a POST request and answers with the status. Redirects are not followed, proxies of the environment are not used,
 * and the certificate is verified whatever the environment says.
 *
 * @throws {Error} when there is no answer; the reason of the signal when that has aborted.
 */
export async function post({ addresses, ...request }: Post): Promise<Answer> {
  let trouble: unknown = new Error("No address to connect to");
  for (const address of addresses) {
    try {
      return await postTo(address, request);
    } catch (error) {
      if (request.signal.aborted) throw request.signal.reason;
      trouble = error;
      if (!neverConnected.has(codeOf(error))) break;
    }
  }
  throw trouble;
}

const neverConnected = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "ETIMEDOUT"]);

function postTo(address: string, { url, headers, body, signal }: Omit<Post, "addresses">, fresh = false): Promise<Answer> {
  const secure = url.protocol === "https:";
  const options: https.RequestOptions = {
    method: "POST",
    host: address,
    port: url.port || (secure ? 443 : 80),
    path: url.pathname + url.search,
    headers: { host: url.host, ...headers, "content-length": Buffer.byteLength(body) },
    signal,
    // Connections are kept by address and host name, so that one is only used again for what it was made for.
    agent: fresh ? false : agents[secure ? "https:" : "http:"],
    ...(secure && { rejectUnauthorized: true }),
    ...(secure && isIP(bareHost(url)) === 0 && { servername: url.hostname }),
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(options, (response) => {
      const { statusCode = 0, headers } = response;
      // The status has said it all: a body that never ends, ends too early or is too large changes nothing about it.
      const finish = () => resolve({ status: statusCode, retryAfter: headers["retry-after"] });
      for (const event of ["end", "error", "close"]) response.once(event, finish);
      cut(response);
      request.off("error", onError).on("error", finish);
    });
    const onError = (error: Error) => {
      // A server may close a kept connection just when it is used again.
      if (!request.reusedSocket || codeOf(error) !== "ECONNRESET" || signal.aborted) reject(error);
      else postTo(address, { url, headers, body, signal }, true).then(resolve, reject);
    };
    request.on("error", onError);
    // Left alone, such a request would not even end when it is aborted.
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      reject(new Error("switched to another protocol, which nobody asked for"));
    });
    request.end(body);
  });
}

function cut(response: IncomingMessage): void {
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) response.destroy();
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
