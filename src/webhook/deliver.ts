import { STATUS_CODES } from "node:http";
import { Webhook } from "standardwebhooks";
import type { AnyEvent } from "../delivery/consumed-events";
import { Reject, RetryAfter } from "../delivery/outcome";
import { delayMs } from "../delivery/retry-policy";
import { messageOf } from "../observe/logging";
import { bareHost, permittedAddresses, type Resolve } from "./address";
import { post } from "./post";
import { retryAfterMs } from "./retry-after";
import type { Subscription } from "./subscriptions";

export interface Attempt {
  /** 1 for the first one. */
  readonly attempt: number;
  /** Aborts when the process stops and cannot wait any longer. */
  readonly stopping: AbortSignal;
  readonly resolve?: Resolve;
}

/**
 * Sends an event to its subscriber as Standard Webhooks has it.
 *
 * @returns `gone` when the subscriber wants no more of them.
 * @throws {Error} for anything that is no success. Its message names the host only: there are URLs whose path is a secret.
 */
export async function deliver(
  { url, secrets, allowed, timeoutMs, retry }: Subscription,
  event: AnyEvent,
  { attempt, stopping, resolve }: Attempt,
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
    if (status >= 200 && status <= 299) return "delivered";
    if (status === 410) return "gone";
    const trouble = `${url.host} answered ${status} ${STATUS_CODES[status] ?? ""}`.trim();
    if (status >= 300 && status <= 399) throw new Error(`${trouble}; redirects are not followed: the subscription has to name the new URL`);
    const askedMs = status === 429 || status === 503 ? retryAfterMs(retryAfter, Date.now()) : undefined;
    if (askedMs === undefined) throw new Error(trouble);
    // Never sooner than asked, nor than the policy has it: attempts a second apart would be used up in seconds.
    throw new RetryAfter(Math.max(askedMs, delayMs(attempt, retry, 0.5)), `${trouble} with Retry-After: ${retryAfter}`);
  } finally {
    limit.clear();
  }
}

/** @throws {Reject} for an id that the receiver could not tell from the other parts that are signed. */
export function signedHeaders(id: string, body: string, secrets: readonly string[], now = new Date()): Record<string, string> {
  if (!/^[\x21-\x2d\x2f-\x7e]+$/.test(id)) throw new Reject("Its id cannot be a webhook-id, which has visible ASCII characters and no dot");
  return {
    "content-type": "application/json",
    "user-agent": "Warren-Webhook/1",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(" "),
  };
}

/** One clock for name, connection, TLS and answer. What AbortSignal.any() makes of a lasting signal is never freed by Bun. */
function timeLimit(timeoutMs: number, stopping: AbortSignal) {
  const controller = new AbortController();
  const { promise: passed, reject } = Promise.withResolvers<never>();
  passed.catch(() => {});
  const end = (why: string) => {
    controller.abort(new Error(why));
    reject(controller.signal.reason);
  };
  const onStop = () => end("given up since the consumer stops");
  const timer = setTimeout(() => end(`no answer within ${timeoutMs} ms`), timeoutMs);
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
