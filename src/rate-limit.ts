import { TokenBucket } from "./delivery/token-bucket";
import { problemResponse } from "./problem";

/** Clients remembered at most; the longest unseen are forgotten first, whose buckets are full again anyhow. */
const maxClients = 10_000;

/**
 * A token bucket for each client: bursts up to one second's worth, then `perSecond`. Answers 429 with Retry-After
 * (RFC 9110) above that, and undefined below. Null: no limit.
 */
export function limitRate(perSecond: number | null): (request: Request, client: string | undefined) => Response | undefined {
  const buckets = new Map<string, TokenBucket>();
  return (request, client) => {
    if (perSecond === null || client === undefined) return undefined;
    const now = performance.now();
    const bucket = buckets.get(client) ?? new TokenBucket(perSecond, now);
    // Moved to the end: a Map keeps the order of insertion.
    buckets.delete(client);
    buckets.set(client, bucket);
    if (buckets.size > maxClients) buckets.delete(buckets.keys().next().value as string);
    if (bucket.take(now) === 0) return undefined;
    return problemResponse(request, 429, { detail: `At most ${perSecond} requests a second; wait a moment.` }, { "retry-after": "1" });
  };
}
