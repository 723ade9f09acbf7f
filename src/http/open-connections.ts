import type { Server } from "bun";
import type { Log } from "../observe/logging";
import { openFileLimit, openFiles } from "../observe/open-files";
import { problemResponse } from "./problem";

/** Shares of the files that a process may have open. The rest is for its own, and for whoever asks how it is. */
const streamShare = 0.5;
const requestShare = 0.75;
const fullShare = 0.8;

const mostStreams = 5000;
/** A larger limit takes longer to reach, and what is open longer to count. */
const checkEveryMs = (limit: number) => Math.max(1000, Math.min(60_000, limit / 20));

/** Returns how many streams may be open: each takes a connection for as long as it likes. */
export function streamLimit(files = openFileLimit()): number {
  return Math.min(mostStreams, Math.floor(files * streamShare));
}

/**
 * Returns a check of how many requests are in hand: 503 above what leaves room for others, and the connection is closed.
 * What asks for the health of the service is always answered.
 */
export function refuseCrowd(files = openFileLimit()) {
  const most = files * requestShare;
  return (request: Request, path: string, server: Pick<Server<unknown>, "pendingRequests"> | null): Response | undefined => {
    if (server === null || server.pendingRequests <= most || path.startsWith("/health/")) return undefined;
    const detail = "As many requests are in hand as there is room for.";
    return problemResponse(request, 503, { detail }, { "retry-after": "1", connection: "close" });
  };
}

/**
 * Closes connections that wait for nothing while there is little room for new ones, and logs it, once until there is room
 * again. Says at the start if the limit of open files is what bounds the service.
 *
 * @returns a function that ends it.
 */
export function keepRoom(server: Pick<Server<unknown>, "closeIdleConnections">, log: Log): () => void {
  const limit = openFileLimit();
  if (streamLimit(limit) < mostStreams) {
    const [streams, requests] = [streamLimit(limit), Math.floor(limit * requestShare)];
    log.info(
      { openFiles: limit, streams, requests },
      `The limit of open files (ulimit -n) is ${limit}: at most ${streams} streams and ${requests} requests at a time`,
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
        "Nearly as many files and connections are open as the process may have (ulimit -n); idle connections are closed, and new ones may have to wait",
      );
    }
    full = true;
  }, checkEveryMs(limit));
  timer.unref();
  return () => clearInterval(timer);
}
