import type { Peers } from "../store/peers";
import { TokenBucket } from "../timing/token-bucket";
import { clientKey } from "./client-address";
import { problemResponse } from "./problem";
import { shareCounts } from "./shared-counts";

/** Maximum number of clients to remember. The least recently seen is forgotten first. */
const maxClients = 10_000;

const rateOf = Symbol("rate");
type Limited = Request & { [rateOf]?: { readonly policy: string; readonly left: string } };

/**
 * Returns a check of a client's request rate, with one token bucket per client. A bucket allows bursts of up to one second's
 * worth of requests, then `perSecond`. Above that, the check returns a 429 response with Retry-After (RFC 9110), and
 * otherwise undefined. {@link completeRateLimit} reports what is left. Requests whose connection is closed share one bucket.
 *
 * @param peers other processes, whose requests count as well, a moment later. Default: none.
 */
export function limitRate(perSecond: number, peers?: Peers): (request: Request, client: string | null) => Response | undefined {
  const buckets = new Map<string, TokenBucket>();
  const policy = `"client";q=${perSecond};w=1`;
  function bucketOf(key: string, now: number): TokenBucket {
    const bucket = buckets.get(key) ?? new TokenBucket(perSecond, now);
    // Move to the end, because a Map keeps the order of insertion.
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > maxClients) buckets.delete(buckets.keys().next().value as string);
    return bucket;
  }
  const count =
    peers &&
    shareCounts(peers, (key, taken) => {
      const now = performance.now();
      bucketOf(key, now).takeUsed(taken, now);
    });
  return (request, client) => {
    const key = clientKey(client);
    const now = performance.now();
    const bucket = bucketOf(key, now);
    const waitMs = bucket.take(now);
    // Kept on the request. If headers were set in Elysia, it would rebuild every response as a stream.
    (request as Limited)[rateOf] = { policy, left: `"client";r=${Math.floor(bucket.left)};t=1` };
    if (waitMs === 0) {
      count?.(key);
      return undefined;
    }
    const detail = `Rate limit exceeded: at most ${perSecond} requests per second. Retry after the number of seconds in Retry-After.`;
    return problemResponse(request, 429, { detail }, { "retry-after": String(Math.ceil(waitMs / 1000)) });
  };
}

/** Adds `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) to a response if there is a limit. */
export function completeRateLimit(request: Request, headers: Headers): void {
  const rate = (request as Limited)[rateOf];
  if (rate === undefined) return;
  headers.set("ratelimit-policy", rate.policy);
  headers.set("ratelimit", rate.left);
}
