import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { codeOf } from "../observe/error-code";
import { bareHost } from "./address";

/** Maximum number of bytes to read of a response body. It is read only so that the connection can be reused. */
const maxAnswerBytes = 64 * 1024;
/** Time after which an idle connection is no longer reused. */
const idleTimeoutMs = 10_000;

const agents = {
  "http:": new http.Agent({ keepAlive: true, timeout: idleTimeoutMs }),
  "https:": new https.Agent({ keepAlive: true, timeout: idleTimeoutMs }),
};

/** The parts of a response that matter for a delivery. */
export interface Answer {
  readonly status: number;
  /** Value of the `Retry-After` header, if there is one. */
  readonly retryAfter: string | undefined;
}

export interface Post {
  readonly url: URL;
  /**
   * Addresses to connect to, tried in order until one is reached. The host name of the URL is used only for TLS and the `Host`
   * header.
   */
  readonly addresses: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/**
 * Sends a POST request and resolves with the response's status. It does not follow redirects, does not use proxies of the
 * environment, and always verifies the certificate, even if the environment disables that.
 *
 * @throws {Error} if there is no response. If the signal has aborted, this is the reason of the signal.
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

/** Codes of errors that occur before a connection exists, so that the next address can be tried. */
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
    // The agent keeps connections per address and host name, so that none is reused for another host.
    agent: fresh ? false : agents[secure ? "https:" : "http:"],
    ...(secure && { rejectUnauthorized: true }),
    ...(secure && isIP(bareHost(url)) === 0 && { servername: url.hostname }),
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(options, (response) => {
      const { statusCode = 0, headers } = response;
      // Only the status matters. A body that never ends, ends too early or is too large does not change it.
      const finish = () => resolve({ status: statusCode, retryAfter: headers["retry-after"] });
      for (const event of ["end", "error", "close"]) response.once(event, finish);
      cut(response);
      request.off("error", onError).on("error", finish);
    });
    const onError = (error: Error) => {
      // A server may close an idle connection at the moment it is reused.
      if (!request.reusedSocket || codeOf(error) !== "ECONNRESET" || signal.aborted) reject(error);
      else postTo(address, { url, headers, body, signal }, true).then(resolve, reject);
    };
    request.on("error", onError);
    // Without this handler, an upgraded request would not end, not even if it is aborted.
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      reject(new Error("unexpectedly switched to another protocol"));
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
