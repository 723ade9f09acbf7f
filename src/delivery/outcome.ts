import type { Unreadable } from "../domain/event";

/** How often and when a failed event is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first one included. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  /** Each delay is the one before times this. */
  readonly factor: number;
  readonly longestDelayMs: number;
}

export const defaultRetry: RetryPolicy = { attempts: 5, firstDelayMs: 1000, factor: 2, longestDelayMs: 60_000 };

/** What became of one attempt to handle a message. */
export type Result =
  | { readonly kind: "handled" }
  /** An event of a type that this consumer does not ask for. */
  | { readonly kind: "skipped" }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "unreadable"; readonly reason: Unreadable; readonly detail: string };

/** Why a message was given up. */
export type DeadReason = Unreadable | "attempts-exhausted";

/** What is done with a message: exactly one of these, exactly once. */
export type Outcome =
  | { readonly action: "ack" }
  | { readonly action: "retry"; readonly delayMs: number; readonly attempts: number; readonly error: unknown }
  | { readonly action: "dead-letter"; readonly reason: DeadReason; readonly attempts: number; readonly error: unknown };

/**
 * Decides what is done with a message.
 *
 * @param attempts how often it had failed before this attempt.
 * @param chance a number from 0 to 1 that spreads the retries.
 */
export function decide(result: Result, attempts: number, policy: RetryPolicy, chance: number): Outcome {
  switch (result.kind) {
    case "handled":
    case "skipped":
      return { action: "ack" };
    case "unreadable":
      return { action: "dead-letter", reason: result.reason, attempts, error: result.detail };
    case "failed": {
      const made = attempts + 1;
      if (made >= policy.attempts) return { action: "dead-letter", reason: "attempts-exhausted", attempts: made, error: result.error };
      return { action: "retry", delayMs: delayMs(made, policy, chance), attempts: made, error: result.error };
    }
  }
}

/** Every distinct delay is a queue in the broker, so the jitter has a few steps and not a continuum. */
const jitter = [0.75, 1, 1.25];

/** The delay after the n-th failed attempt, in whole milliseconds; never above the policy's longest. */
export function delayMs(failures: number, policy: RetryPolicy, chance: number): number {
  const step = jitter[Math.min(jitter.length - 1, Math.floor(chance * jitter.length))] as number;
  const delay = policy.firstDelayMs * policy.factor ** (failures - 1) * step;
  return Math.max(1, Math.round(Math.min(delay, policy.longestDelayMs)));
}

/** @throws {TypeError} that names the value which makes no sense. */
export function retryPolicy(policy: Partial<RetryPolicy> = {}): RetryPolicy {
  const full = { ...defaultRetry, ...policy };
  const check = (name: keyof RetryPolicy, good: boolean, expected: string) => {
    if (!good) throw new TypeError(`retry.${name} is ${full[name]}; use ${expected}.`);
  };
  check("attempts", Number.isInteger(full.attempts) && full.attempts >= 1 && full.attempts <= 1000, "a whole number from 1 to 1000");
  check("firstDelayMs", full.firstDelayMs >= 1 && full.firstDelayMs <= 86_400_000, "milliseconds from 1 to 86,400,000 (a day)");
  check("factor", full.factor >= 1 && full.factor <= 100, "a number from 1 to 100");
  check(
    "longestDelayMs",
    full.longestDelayMs >= full.firstDelayMs && full.longestDelayMs <= 86_400_000,
    "milliseconds from firstDelayMs to 86,400,000 (a day)",
  );
  return full;
}
