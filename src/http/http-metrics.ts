import type { Metrics, Sample } from "../observe/metrics";
import { Distribution, entryOf, workSeconds } from "../observe/tally";
import { PathPatterns } from "./path-patterns";

/** Records one request: the status of its response, and the `performance.now()` at which its handling began. */
type Measure = (request: Request, status: number, startedAt: number) => void;

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const changing = new Set(["POST", "PUT", "PATCH", "DELETE"]);
/** Label for unknown methods and paths. Clients can send any value, so these must not become labels. */
const other = "other";

/**
 * Measures the time until the response to a request begins, by method, route and status.
 *
 * @param changes gets the durations of requests with methods that change something.
 * @param paths returns the patterns of all routes, such as `/items/:id`. Called once, at the first request.
 */
export function measureRequests(metrics: Metrics, changes: Distribution, paths: () => readonly string[]): Measure {
  const durations = new Map<string, Map<string, Map<number, Distribution>>>();
  let patterns: PathPatterns | undefined;

  metrics.histogram({
    name: "warren_http_server_request_duration_seconds",
    help: "Time from the arrival of a request to the start of its response.",
    read: function* (): Iterable<Sample<Distribution>> {
      for (const [route, byMethod] of durations) {
        for (const [method, byStatus] of byMethod) {
          for (const [status, duration] of byStatus) {
            yield [{ http_request_method: method, http_route: route, http_response_status_code: String(status) }, duration];
          }
        }
      }
    },
  });

  return ({ method, url }, status, startedAt) => {
    const seconds = (performance.now() - startedAt) / 1000;
    patterns ??= new PathPatterns(paths());
    const byMethod = entryOf(durations, patterns.of(url) ?? other, () => new Map<string, Map<number, Distribution>>());
    const byStatus = entryOf(byMethod, methods.has(method) ? method : other, () => new Map<number, Distribution>());
    entryOf(byStatus, status, () => new Distribution(workSeconds)).record(seconds);
    if (changing.has(method)) changes.record(seconds);
  };
}
