import { TokenBucket } from "../delivery/token-bucket";
import { problemResponse } from "../problem";
import { clientKey } from "./client-address";

/** Clients remembered at most; the longest unseen are forgotten first. */
const maxClients = 10_000;

/**
 * A token bucket for each client: bursts up to one second's worth, then `perSecond`. Answers 429 with Retry-After
 * (RFC 9110) above that, and undefined below.
 *
 * @returns a function of the request, the client's address, and the headers of the answer, which it adds `RateLimit` and
 * `RateLimit-Policy` to (draft-ietf-httpapi-ratelimit-headers-10).
 */
export function limitRate(
  perSecond: number,
): (request: Request, client: string, headers: Record<string, string | number>) => Response | undefined {
  const buckets = new Map<string, TokenBucket>();
  return (request, client, headers) => {
    const key = clientKey(client);
    const now = performance.now();
    const bucket = buckets.get(key) ?? new TokenBucket(perSecond, now);
    // Moved to the end: a Map keeps the order of insertion.
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > maxClients) buckets.delete(buckets.keys().next().value as string);
    const waitMs = bucket.take(now);
    headers["ratelimit-policy"] = `"client";q=${perSecond};w=1`;
    headers["ratelimit"] = `"client";r=${Math.floor(bucket.left)};t=1`;
    if (waitMs === 0) return undefined;
    const detail = `At most ${perSecond} requests a second; wait a moment.`;
    return problemResponse(request, 429, { detail }, { "retry-after": String(Math.ceil(waitMs / 1000)) });
  };
}
