import type { MessageOrigin, Span } from "../observe/tracing";
import type { Event } from "../schema/event";
import type { Resource } from "../schema/resource";
import type { ReplayMark } from "../store/replay";
import type { Outcome } from "./outcome";

/** A message that a transport hands to the worker. */
export interface Delivery {
  readonly body: Uint8Array | string;
  /** What its publisher says of the body's encoding, such as `gzip`. */
  readonly encoding?: string | undefined;
  /** Attempts on it that have failed. */
  readonly failures: number;
  /** Whether a process may have died on it: it was handed out before, and was never settled. */
  readonly suspect: boolean;
  readonly replay: ReplayMark;
  /** Whether it waited for this attempt, or was put back by somebody, though it may have no failures. */
  readonly again?: boolean;
  readonly origin: MessageOrigin;
  /** Whether it cannot be settled any more, and will be delivered anew. */
  readonly gone: boolean;
  /** Does with it what was decided; called exactly once. Never rejects. */
  settle(outcome: Outcome): Promise<void> | void;
}

/** A delivery that was read, and waits for the handler. */
export interface Task {
  readonly delivery: Delivery;
  readonly event: Event;
  /** Events with the same key are handled one after another. */
  readonly key: string;
  /** The newest attempt on it. */
  span?: Span;
}

export function keyOf(resource: Resource, record: { readonly id: number }): string {
  return `${resource.name}:${record.id}`;
}
