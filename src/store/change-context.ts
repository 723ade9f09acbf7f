import type { Actor } from "../schema/actor";
import type { EventData } from "../schema/resource";
import type { Cause } from "./cause";
import { KeyReused, TooMuchKept } from "./errors";
import type { Stored } from "./stored";
import type { Later } from "./timers";

/** Optional details of a change: the request that makes it, and custom events to commit with it. */
export interface ChangeContext<Data extends EventData = EventData> {
  /** Who makes the change. It is stored with the events. Default: the service itself. */
  readonly actor?: Actor | undefined;
  /**
   * The event whose handler makes the change. The events of the change name it as their cause. If it is too deep in a chain of causes,
   * the change is rejected with `ChainTooLong`. Default: none.
   */
  readonly cause?: Cause | undefined;
  /** W3C trace context of the request. */
  readonly traceparent?: string | undefined;
  readonly requestId?: string | undefined;
  /** Time at which the request arrived, in milliseconds since 1970. */
  readonly requestedAt?: number | undefined;
  /**
   * Custom events of the resource, by name with their data: `{ shipped: { carrier: "DHL" } }`. They commit together with the
   * change, after its own event. If their data does not match its schema, the change is rejected with `InvalidChange`.
   */
  readonly emit?: { readonly [Event in keyof Data]?: Data[Event] } | undefined;
  /**
   * Custom events to publish later, about the record of the change: `[{ event: "expired", after: "30m", key: "expire:7" }]`. They are
   * stored with the change. If their data does not match its schema, the change is rejected with `InvalidChange`.
   */
  readonly later?: readonly Later<Data>[] | undefined;
  /** Keys of events that were to be published later, and are not any more. They are cancelled before `later` adds others. */
  readonly cancel?: readonly string[] | undefined;
  /**
   * Makes the call idempotent. The store commits its result with the change and keeps it for 24 hours, or for `livesMs`. Repeating the call in that
   * time, even concurrently, changes nothing and resolves with the stored result. A call that changes nothing because it is
   * refused, or its record does not exist, keeps no result.
   *
   * The call may then also reject with {@link KeyReused} or {@link TooMuchKept}.
   */
  readonly once?: Once | undefined;
}

export interface GuardedContext<Data extends EventData = EventData> extends ChangeContext<Data> {
  /** Called with the current record just before the change. If it throws, the promise rejects with that error and nothing changes. */
  readonly guard?: ((current: Stored) => void) | undefined;
}

/** Makes a change idempotent: repeating it has no further effect. */
export interface Once {
  /** Identifies the client's key and the operation that it is for. */
  readonly key: string;
  /**
   * Identifies the owner of the key. The answers stored for each owner are limited. Null: the service itself, without a limit. Default: keys
   * without an owner share one limit.
   */
  readonly owner?: string | null;
  /** Distinguishes this change from any other with the same key. */
  readonly fingerprint: string;
  /** Number of this change within its request, counted from 0. */
  readonly part: number;
  /** How long the result is kept, in milliseconds. Default: 24 hours. */
  readonly livesMs?: number;
}

export interface EraseOptions extends Pick<ChangeContext, "actor" | "requestId"> {
  /** True to change nothing and only resolve with what would be erased. Default: false. */
  readonly isDryRun?: boolean;
}
