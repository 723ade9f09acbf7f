import type { MessageOrigin, Span } from "../observe/tracing";
import type { Event, Parsed } from "../schema/event";
import { isTick } from "../schema/tick";
import type { ReplayMark } from "../store/replay";
import type { Outcome } from "./outcome";

/** A message that a transport passes to the worker. */
export interface Delivery {
  readonly body: Uint8Array | string;
  /** Content encoding of the body according to its publisher, such as `gzip`. */
  readonly encoding?: string | undefined;
  /** Number of failed attempts. */
  readonly failures: number;
  /** True if a process may have died on it: it was delivered before and never settled. */
  readonly suspect: boolean;
  readonly replay: ReplayMark;
  /** True if it waited for this attempt or was put back on its queue, even if it has no failures. */
  readonly again?: boolean;
  readonly origin: MessageOrigin;
  /** True if it can no longer be settled because it will be delivered again. */
  readonly gone: boolean;
  /** Applies the outcome to the message. May throw or reject, such as when the disk is full, and is then called again: see settle.ts. */
  settle(outcome: Outcome): Promise<void> | void;
}

/** A delivery whose event is parsed and waits for the handler. */
export interface Task {
  readonly delivery: Delivery;
  readonly event: Event;
  /** Events with the same key are handled one after another. */
  readonly key: string;
  /** Span of the newest attempt. */
  span?: Span;
}

/** Returns the {@link Task.key} of an event: its record. Events of a schedule come one after another, unless it asks for more at a time. */
export function orderKeyOf({ event, resource, record }: Extract<Parsed, { readonly ok: true }>): string {
  return isTick(event) ? event.id : `${resource.name}:${record.id}`;
}
