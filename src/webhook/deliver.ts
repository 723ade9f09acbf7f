import { STATUS_CODES } from "node:http";
import { Webhook } from "standardwebhooks";
import type { AnyEvent } from "../delivery/consumed-events";
import { Reject, RetryAfter } from "../delivery/outcome";
import { delayMs } from "../delivery/retry-policy";
import { messageOf } from "../observe/logging";
import { now } from "../timing/clock";
import { bareHost, permittedAddresses, type Resolve } from "./address";
import { post } from "./post";
import { retryAfterMs } from "./retry-after";
import type { Subscription } from "./subscriptions";

export interface DeliveryAttempt {
  /** Number of the attempt, starting at 1. */
  readonly attempt: number;
  /** Aborts when the process stops and can no longer wait for responses. */
  readonly stopping: AbortSignal;
  /** Resolves host names. Default: the resolver of the system. */
  readonly resolve?: Resolve;
  /** Called with the status of the response. */
  readonly onAnswer?: (status: number) => void;
}

/**
 * Sends an event to its subscriber per Standard Webhooks.
 *
 * @returns `delivered` for a 2xx status, `gone` for 410, which means that the subscriber wants no more events.
 * @throws {RetryAfter} for 429 or 503 with a valid Retry-After.
 * @throws {Reject} if the id of the event cannot be a webhook id.
 * @throws {Error} for any other failure. The message names only the host, because the path of a URL may be secret.
 */
export async function deliver(
  { url, secrets, allowed, timeoutMs, retry }: Subscription,
  event: AnyEvent,
  { attempt, stopping, resolve, onAnswer }: DeliveryAttempt,
): Promise<"delivered" | "gone"> {
  const body = JSON.stringify(event);
  const headers = signedHeaders(event.id, body, secrets);
  const limit = timeLimit(timeoutMs, stopping);
  try {
    const { signal } = limit;
    const { status, retryAfter } = await Promise.race([permittedAddresses(bareHost(url), allowed, resolve), limit.passed])
      .then((addresses) => post({ url, addresses, headers, body, signal }))
      .catch((error) => {
        throw new Error(`${url.host}: ${messageOf(error)}`, { cause: error });
      });
    onAnswer?.(status);
    if (status >= 200 && status <= 299) return "delivered";
    if (status === 410) return "gone";
    const trouble = `${url.host} responded with ${status} ${STATUS_CODES[status] ?? ""}`.trim();
    if (status >= 300 && status <= 399) throw new Error(`${trouble}; redirects are not followed: set the new URL in the subscription`);
    const askedMs = status === 429 || status === 503 ? retryAfterMs(retryAfter, now()) : undefined;
    if (askedMs === undefined) throw new Error(trouble);
    // Never retry sooner than the policy does. Otherwise a short Retry-After would use up all attempts within seconds.
    throw new RetryAfter(Math.max(askedMs, delayMs(attempt, retry, 0.5)), `${trouble} with Retry-After: ${retryAfter}`);
  } finally {
    limit.clear();
  }
}

/**
 * Returns the headers of a delivery, with one signature per secret.
 *
 * @throws {Reject} if the id has a dot, which separates the signed parts, or other than visible ASCII characters.
 */
export function signedHeaders(id: string, body: string, secrets: readonly string[], now = new Date()): Record<string, string> {
  if (!/^[\x21-\x2d\x2f-\x7e]+$/.test(id))
    throw new Reject("The event's id cannot be a webhook-id, which must be visible ASCII characters without a dot");
  return {
    "content-type": "application/json",
    "user-agent": "Warren-Webhook/1",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(" "),
  };
}

/**
 * Starts one time limit for lookup, connection, TLS and response. It does not use AbortSignal.any(), whose signals Bun never
 * frees if the source signal is long-lived.
 */
function timeLimit(timeoutMs: number, stopping: AbortSignal) {
  const controller = new AbortController();
  const { promise: passed, reject } = Promise.withResolvers<never>();
  passed.catch(() => {});
  const end = (why: string) => {
    controller.abort(new Error(why));
    reject(controller.signal.reason);
  };
  const onStop = () => end("aborted because the consumer is stopping");
  const timer = setTimeout(() => end(`no response within ${timeoutMs} ms`), timeoutMs);
  if (stopping.aborted) onStop();
  else stopping.addEventListener("abort", onStop, { once: true });
  return {
    signal: controller.signal,
    passed,
    clear() {
      clearTimeout(timer);
      stopping.removeEventListener("abort", onStop);
    },
  };
}
