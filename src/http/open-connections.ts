import type { Server } from "bun";
import type { Log } from "../observe/logging";
import { openFileLimit, openFiles } from "../observe/open-files";
import { problemResponse } from "./problem";

// Shares of the limit of open files. The rest is for the process's own files and for health checks.
/** Share for streams. */
const streamShare = 0.5;
/** Share for pending requests. */
const requestShare = 0.75;
/** Share of open files above which idle connections are closed. */
const fullShare = 0.8;

const mostStreams = 5000;
/** Interval between checks. With a larger limit, it takes longer to reach the limit and to count open files. */
const checkEveryMs = (limit: number) => Math.max(1000, Math.min(60_000, limit / 20));

/** Returns the maximum number of open streams. Each holds a connection for as long as the client wants. */
export function streamLimit(files = openFileLimit()): number {
  return Math.min(mostStreams, Math.floor(files * streamShare));
}

/**
 * Returns a check of the number of pending requests. Above the limit, the check returns a 503 response that closes the
 * connection. Health checks always pass.
 */
export function refuseCrowd(files = openFileLimit()) {
  const most = files * requestShare;
  return (request: Request, path: string, server: Pick<Server<unknown>, "pendingRequests"> | null): Response | undefined => {
    if (server === null || server.pendingRequests <= most || path.startsWith("/health/")) return undefined;
    const detail = "The service is handling its maximum number of requests.";
    return problemResponse(request, 503, { detail }, { "retry-after": "1", connection: "close" });
  };
}

/**
 * Closes idle connections while the process is close to its limit of open files. It logs this once until there is room
 * again. It also logs at the start if the limit of open files bounds the number of streams.
 *
 * @returns a function that stops the checks.
 */
export function keepRoom(server: Pick<Server<unknown>, "closeIdleConnections">, log: Log): () => void {
  const limit = openFileLimit();
  if (streamLimit(limit) < mostStreams) {
    const [streams, requests] = [streamLimit(limit), Math.floor(limit * requestShare)];
    log.info(
      { openFiles: limit, streams, requests },
      `The limit of open files (ulimit -n) is ${limit}; allowing at most ${streams} streams and ${requests} concurrent requests`,
    );
  }
  let full = false;
  const timer = setInterval(() => {
    const open = openFiles();
    if (open === undefined) return;
    if (open < limit * fullShare) {
      full = false;
      return;
    }
    const closed = server.closeIdleConnections();
    if (!full) {
      log.warn(
        { openFiles: open, limit, closed },
        "Close to the limit of open files (ulimit -n); closing idle connections. New connections may have to wait",
      );
    }
    full = true;
  }, checkEveryMs(limit));
  timer.unref();
  return () => clearInterval(timer);
}
