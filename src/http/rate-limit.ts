import { TokenBucket } from "../timing/token-bucket";
import { clientKey } from "./client-address";
import { problemResponse } from "./problem";

/** Clients remembered at most; the longest unseen are forgotten first. */
const maxClients = 10_000;

const rateOf = Symbol("rate");
type Limited = Request & { [rateOf]?: { readonly policy: string; readonly left: string } };

/**
 * A token bucket for each client: bursts up to one second's worth, then `perSecond`. Answers 429 with Retry-After
 * (RFC 9110) above that, and undefined below; {@link completeRateLimit} tells the client how much is left. Whoever has closed
 * the connection already is nobody's client any more: all of those share one bucket.
 */
export function limitRate(perSecond: number): (request: Request, client: string | null) => Response | undefined {
  const buckets = new Map<string, TokenBucket>();
  const policy = `"client";q=${perSecond};w=1`;
  return (request, client) => {
    const key = clientKey(client);
    const now = performance.now();
    const bucket = buckets.get(key) ?? new TokenBucket(perSecond, now);
    // Moved to the end: a Map keeps the order of insertion.
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > maxClients) buckets.delete(buckets.keys().next().value as string);
    const waitMs = bucket.take(now);
    // On the request, and not in Elysia's headers, for which it would make every answer anew, as a stream.
    (request as Limited)[rateOf] = { policy, left: `"client";r=${Math.floor(bucket.left)};t=1` };
    if (waitMs === 0) return undefined;
    const detail = `At most ${perSecond} requests a second; wait a moment.`;
    return problemResponse(request, 429, { detail }, { "retry-after": String(Math.ceil(waitMs / 1000)) });
  };
}

/** Adds `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) to the answer, where there is a limit. */
export function completeRateLimit(request: Request, headers: Headers): void {
  const rate = (request as Limited)[rateOf];
  if (rate === undefined) return;
  headers.set("ratelimit-policy", rate.policy);
  headers.set("ratelimit", rate.left);
}
