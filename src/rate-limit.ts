import { problemResponse } from "./problem";

interface Bucket {
  tokens: number;
  at: number;
}

/** Clients remembered at most; the longest unseen are forgotten first, whose buckets are full again anyhow. */
const maxClients = 10_000;

/**
 * A token bucket for each client: bursts up to one second's worth, then `perSecond`. Answers 429 with Retry-After
 * (RFC 9110) above that, and undefined below. Null: no limit.
 */
export function limitRate(perSecond: number | null): (client: string | undefined) => Response | undefined {
  const buckets = new Map<string, Bucket>();
  return (client) => {
    if (perSecond === null || client === undefined) return undefined;
    const now = performance.now();
    const bucket = buckets.get(client) ?? { tokens: perSecond, at: now };
    bucket.tokens = Math.min(perSecond, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    // Moved to the end: a Map keeps the order of insertion.
    buckets.delete(client);
    buckets.set(client, bucket);
    if (buckets.size > maxClients) buckets.delete(buckets.keys().next().value as string);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return undefined;
    }
    return problemResponse(429, `At most ${perSecond} requests a second; wait a moment.`, undefined, { "retry-after": "1" });
  };
}
