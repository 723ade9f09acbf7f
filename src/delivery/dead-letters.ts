import { inexact } from "../schema/exact-json";
import { isDeeperThan, maxEventDepth } from "../schema/json-depth";
import type { DeadSelection } from "../store/consumer/dead-letter-table";

export type { DeadSelection } from "../store/consumer/dead-letter-table";

/** An event that a consumer gave up, with what is known of why. */
export interface DeadLetter {
  /** The event's id; empty where the message had none. */
  readonly id: string;
  readonly type: string | null;
  readonly reason: string;
  readonly error: string;
  readonly stack: string | null;
  readonly attempts: number;
  readonly firstFailure: string | null;
  readonly lastFailure: string | null;
  /** The event; as text where it is no JSON or has what JSON would not show as it is, such as numbers beyond 2^53; as base64 where it is no text, and cut where it is very long. */
  readonly body: unknown;
  readonly bodyEncoding: "json" | "text" | "base64";
  readonly bodyBytes: number;
}

export interface DeadLetterPage {
  readonly deadLetters: DeadLetter[];
  /** What to pass as `after` for the next page; null: this is the last one. */
  readonly next: number | null;
}

/** How long work is watched, and ended early. */
export interface Watch {
  /** Called with how many dead letters were looked at, and how many there are. */
  readonly onProgress?: (looked: number, of: number) => void;
  /** Ends it early; what was done is done, and the rest is where it was. */
  readonly stop?: AbortSignal;
}

/**
 * The dead letters of every queue. All is refused with {@link QueueUnavailable} while they cannot be reached, and
 * with {@link UnknownQueue} for a queue that does not exist.
 */
export interface DeadLetters {
  /** The queues that are known, and how many dead letters each has. */
  queues(): Promise<{ queue: string; count: number }[]>;
  /** The oldest first; takes nothing away. */
  list(queue: string, selection: DeadSelection, after: number, limit: number): Promise<DeadLetterPage>;
  /** Puts dead letters back on their queue, where their attempts start anew; answers how many. */
  redrive(queue: string, selection: DeadSelection, watch?: Watch): Promise<number>;
  /** Removes dead letters for good; answers how many. */
  discard(queue: string, selection: DeadSelection, watch?: Watch): Promise<number>;
}

const shownBytes = 64 * 1024;

/** A body as it can be shown in JSON. */
export function shownBody(body: Uint8Array): Pick<DeadLetter, "body" | "bodyEncoding" | "bodyBytes"> {
  const bodyBytes = body.length;
  const shown = body.subarray(0, shownBytes);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(shown);
    const json = bodyBytes <= shownBytes ? exactJson(text) : undefined;
    return json === undefined ? { body: text, bodyEncoding: "text", bodyBytes } : { body: json, bodyEncoding: "json", bodyBytes };
  } catch {
    return { body: Buffer.from(shown).toString("base64"), bodyEncoding: "base64", bodyBytes };
  }
}

/**
 * Undefined for what is not JSON, is nested so deeply that it could perhaps not be written again, or would be shown as
 * something else than it is: its large numbers are rounded, say.
 */
function exactJson(text: string): unknown {
  if (isDeeperThan(maxEventDepth, text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return inexact(text, value).length === 0 ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isSelected({ ids, type, reason }: DeadSelection, dead: Pick<DeadLetter, "id" | "type" | "reason">): boolean {
  return (!ids || ids.includes(dead.id)) && (!type || dead.type === type) && (!reason || dead.reason === reason);
}
