import type { SpanTrouble } from "../observe/tracing";
import { type Unreadable, unreadableReasons } from "../schema/event";
import { ChainTooLong } from "../store/cause";
import { askedDelayMs, delayMs, type RetryPolicy } from "./retry-policy";

/** Thrown by a handler that can never handle this event. The event becomes a dead letter at once, without another attempt. */
export class Reject extends Error {
  override readonly name = "Reject";
  /** @param reason stored in the dead letter for the person who inspects it. */
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
  }
}

/**
 * Thrown by a handler that knows when to retry, such as from a `Retry-After` header. It counts as a failed attempt. The
 * delay is rounded up: to 100 ms up to 1 s, to 1 s up to 10 s, and more coarsely above. It is one day at most.
 *
 * @throws {TypeError} if the delay is negative or not a number.
 */
export class RetryAfter extends Error {
  override readonly name = "RetryAfter";
  constructor(
    /** Delay before the next attempt, in milliseconds, from 0. */
    readonly delayMs: number,
    message = `Try again after ${delayMs} ms`,
    options?: ErrorOptions,
  ) {
    super(message, options);
    if (!(delayMs >= 0)) throw new TypeError(`RetryAfter(${delayMs}): use a delay of 0 or more milliseconds.`, { cause: this });
  }
}

/** Result of one attempt to handle a message. */
export type Result =
  | { readonly kind: "handled" }
  /** The consumer does not ask for events of this type. */
  | { readonly kind: "skipped" }
  /** The event's id is in the inbox: its effect is already committed. */
  | { readonly kind: "duplicate" }
  | { readonly kind: "failed"; readonly error: unknown }
  /** The process died this many times while it handled the event. */
  | { readonly kind: "died"; readonly deaths: number }
  | { readonly kind: "unreadable"; readonly reason: Unreadable; readonly detail: string };

/** Reasons to give up a message. */
export const deadReasons = [...unreadableReasons, "attempts-exhausted", "rejected", "process-died"] as const;
export type DeadReason = (typeof deadReasons)[number];

/** Action taken on a message. Each delivery gets exactly one outcome, which may take several attempts to apply. */
export type Outcome = { readonly action: "ack"; readonly result: "handled" | "skipped" | "duplicate" } | Failure;
/** @property attempts number of failed attempts, including this one. */
export type Failure =
  | { readonly action: "retry"; readonly delayMs: number; readonly attempts: number; readonly error: unknown }
  | { readonly action: "dead-letter"; readonly reason: DeadReason; readonly attempts: number; readonly error: unknown };

/**
 * Decides which action to take on a message.
 *
 * @param attempts number of attempts that failed before this one.
 * @param chance a number from 0 to 1 that spreads the retries.
 */
export function decideOutcome(result: Result, attempts: number, policy: RetryPolicy, chance: number): Outcome {
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

/** Returns whether a handler threw {@link Reject}. Safe for any thrown value, such as a Proxy that throws on access. */
export function isRejection(error: unknown): boolean {
  try {
    return error instanceof Reject;
  } catch {
    return false;
  }
}

/** Returns whether the handler failed for a reason other than the event. A rejection is about the event. */
export function isFailure(result: Result): boolean {
  return result.kind === "failed" && !isRejection(result.error);
}

/** Returns the delay that a handler asked for. Returns undefined if it asked for none, or the value is not a number. */
function askedDelay(error: unknown): number | undefined {
  try {
    if (!(error instanceof RetryAfter)) return undefined;
    const delay = askedDelayMs(error.delayMs);
    return Number.isFinite(delay) ? delay : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the parts of an error to keep: enough to find its cause, and short enough for a message header. */
export function describeError(error: unknown): { message: string; stack: string | null } {
  try {
    if (!(error instanceof Error)) return { message: cut(String(error), 1000), stack: null };
    const message = isRejection(error) ? error.message : `${error.name}: ${error.message}`;
    // A chain of causes is only of use as a whole. Where it was refused says nothing.
    if (error.cause instanceof ChainTooLong) return { message: cut(message, 4000), stack: null };
    return { message: cut(message, 1000), stack: typeof error.stack === "string" ? cut(error.stack, 4000) : null };
  } catch {
    // The thrown value may itself throw on access.
    return { message: "A value that cannot be printed was thrown", stack: null };
  }
}

/** Describes an error as {@link describeError} does, for a span. */
export function spanTroubleOf(error: unknown): SpanTrouble {
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
