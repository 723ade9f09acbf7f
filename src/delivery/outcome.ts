import type { SpanTrouble } from "../observe/tracing";
import { type Unreadable, unreadableReasons } from "../schema/event";
import { askedDelayMs, delayMs, type RetryPolicy } from "./retry-policy";

/** Thrown by a handler that will never be able to handle this event: it becomes a dead letter at once. */
export class Reject extends Error {
  override readonly name = "Reject";
  /** @param reason kept with the dead letter, for the person who reads it. */
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
  }
}

/**
 * Thrown by a handler that knows when it is worth trying again, as from a `Retry-After`. It counts as an attempt. The
 * delay is rounded up: to a tenth of a second up to 1 s, to a second up to 10 s, and coarser above; at most a day.
 */
export class RetryAfter extends Error {
  override readonly name = "RetryAfter";
  constructor(
    readonly delayMs: number,
    message = `Try again after ${delayMs} ms`,
    options?: ErrorOptions,
  ) {
    super(message, options);
    if (!(delayMs >= 0)) throw new TypeError(`RetryAfter(${delayMs}): give the delay in milliseconds, from 0.`, { cause: this });
  }
}

/** What became of one attempt to handle a message. */
export type Result =
  | { readonly kind: "handled" }
  /** An event of a type that this consumer does not ask for. */
  | { readonly kind: "skipped" }
  /** Its id is in the inbox: its effect is there already. */
  | { readonly kind: "duplicate" }
  | { readonly kind: "failed"; readonly error: unknown }
  /** The process died on it this many times. */
  | { readonly kind: "died"; readonly deaths: number }
  | { readonly kind: "unreadable"; readonly reason: Unreadable; readonly detail: string };

/** Why a message was given up. */
export const deadReasons = [...unreadableReasons, "attempts-exhausted", "rejected", "process-died"] as const;
export type DeadReason = (typeof deadReasons)[number];

/** What is done with a message: exactly one of these, exactly once. */
export type Outcome = { readonly action: "ack"; readonly result: "handled" | "skipped" | "duplicate" } | Failure;
/** @property attempts those that have failed, this one included. */
export type Failure =
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
    case "duplicate":
      return { action: "ack", result: result.kind };
    case "unreadable":
      return { action: "dead-letter", reason: result.reason, attempts, error: result.detail };
    case "died": {
      const error = `The process died ${result.deaths} times while it handled this event`;
      return { action: "dead-letter", reason: "process-died", attempts: attempts + result.deaths, error };
    }
    case "failed": {
      const { error } = result;
      const made = attempts + 1;
      if (isRejection(error)) return { action: "dead-letter", reason: "rejected", attempts: made, error };
      if (made >= policy.attempts) return { action: "dead-letter", reason: "attempts-exhausted", attempts: made, error };
      return { action: "retry", delayMs: askedDelay(error) ?? delayMs(made, policy, chance), attempts: made, error };
    }
  }
}

/** Whether a handler threw {@link Reject}. It may throw anything, such as a Proxy that throws when it is looked at. */
export function isRejection(error: unknown): boolean {
  try {
    return error instanceof Reject;
  } catch {
    return false;
  }
}

/** The delay that a handler asked for; undefined if it did not, or if what it asked for is not a number. */
function askedDelay(error: unknown): number | undefined {
  try {
    if (!(error instanceof RetryAfter)) return undefined;
    const delay = askedDelayMs(error.delayMs);
    return Number.isFinite(delay) ? delay : undefined;
  } catch {
    return undefined;
  }
}

/** What is kept of an error: enough to find its cause, little enough for a message header. */
export function describeError(error: unknown): { message: string; stack: string | null } {
  try {
    if (!(error instanceof Error)) return { message: cut(String(error), 1000), stack: null };
    const message = isRejection(error) ? error.message : `${error.name}: ${error.message}`;
    return { message: cut(message, 1000), stack: typeof error.stack === "string" ? cut(error.stack, 4000) : null };
  } catch {
    // Whatever was thrown may throw in turn when it is looked at.
    return { message: "Something was thrown that cannot be shown", stack: null };
  }
}

/** As {@link describeError}, for a span. */
export function troubleOf(error: unknown): SpanTrouble {
  return { type: classOf(error), ...describeError(error) };
}

function classOf(error: unknown): string {
  try {
    return error instanceof Error ? error.constructor.name || error.name : "_OTHER";
  } catch {
    return "_OTHER";
  }
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}
