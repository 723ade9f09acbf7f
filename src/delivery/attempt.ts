import type { Catalogue } from "../domain/catalogue";
import { type Event, parseEvent } from "../domain/event";
import type { Log } from "../observe/logging";
import type { Result, RetryPolicy } from "./outcome";

/** What a handler is told about its event. */
export interface HandlerContext {
  readonly queue: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly log: Log;
}

/** A consumer, ready to handle the messages of either transport. */
export interface Consumer {
  readonly queue: string;
  readonly temporary: boolean;
  /** The event types that it asks for. */
  readonly wanted: ReadonlySet<string>;
  readonly catalogue: Catalogue;
  readonly handle: (event: Event, context: HandlerContext) => unknown;
  readonly prefetch: number;
  readonly retry: RetryPolicy;
  readonly log: Log;
  /** Called once, when the first subscription stands. */
  readonly onReady: () => void;
}

/** Reads one message and has it handled. Never throws: whatever goes wrong is in the result. */
export async function attempt(consumer: Consumer, body: Uint8Array | string, failedBefore: number): Promise<Result> {
  const parsed = parseEvent(body, consumer.catalogue);
  if (!parsed.ok) return { kind: "unreadable", reason: parsed.reason, detail: parsed.detail };
  if (!consumer.wanted.has(parsed.event.type)) return { kind: "skipped" };
  try {
    await consumer.handle(parsed.event, { queue: consumer.queue, attempt: failedBefore + 1, log: consumer.log });
    return { kind: "handled" };
  } catch (error) {
    return { kind: "failed", error };
  }
}

/** What is kept of an error: enough to find its cause, little enough for a message header. */
export function describe(error: unknown): { message: string; stack: string | null } {
  if (!(error instanceof Error)) return { message: cut(String(error), 1000), stack: null };
  return { message: cut(`${error.name}: ${error.message}`, 1000), stack: error.stack ? cut(error.stack, 4000) : null };
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}
