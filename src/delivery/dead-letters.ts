import { inexact } from "../schema/exact-json";
import { isDeeperThan, maxEventDepth } from "../schema/json-depth";
import type { DeadSelection } from "../store/consumer/dead-letter-table";

export type { DeadSelection } from "../store/consumer/dead-letter-table";

/** An event that a consumer gave up, and why. */
export interface DeadLetter {
  /** The event's id. Empty if the message has none. */
  readonly id: string;
  readonly type: string | null;
  readonly reason: string;
  readonly error: string;
  readonly stack: string | null;
  readonly attempts: number;
  readonly firstFailure: string | null;
  readonly lastFailure: string | null;
  /**
   * The event as JSON. Text if it is not JSON, exceeds 64 KiB (only that much is shown), or JSON would show it differently,
   * such as numbers beyond 2^53. Base64 if it is not text.
   */
  readonly body: unknown;
  readonly bodyEncoding: "json" | "text" | "base64";
  /** Size of the whole body in bytes. */
  readonly bodyBytes: number;
}

export interface DeadLetterPage {
  readonly deadLetters: DeadLetter[];
  /** Value to pass as `after` for the next page. Null on the last page. */
  readonly next: number | null;
}

/** Progress and cancellation of work on many dead letters. */
export interface Watch {
  /** Called with the number of dead letters examined so far, and the total number. */
  readonly onProgress?: (looked: number, of: number) => void;
  /** Ends the work early. Completed changes stay; the remaining dead letters are untouched. */
  readonly stop?: AbortSignal;
}

/**
 * The dead letters of every queue. All methods reject with {@link QueueUnavailable} while dead letters cannot be reached,
 * and with {@link UnknownQueue} for a queue that does not exist.
 */
export interface DeadLetters {
  /** Resolves with the known queues and the number of dead letters of each. */
  queues(): Promise<{ queue: string; count: number }[]>;
  /** Lists dead letters, oldest first, without removing any. */
  list(queue: string, selection: DeadSelection, after: number, limit: number): Promise<DeadLetterPage>;
  /** Puts dead letters back on their queue and restarts their attempts. Resolves with the number of dead letters. */
  redrive(queue: string, selection: DeadSelection, watch?: Watch): Promise<number>;
  /** Removes dead letters permanently. Resolves with the number of dead letters. */
  discard(queue: string, selection: DeadSelection, watch?: Watch): Promise<number>;
}

const shownBytes = 64 * 1024;

/** Returns the parts of a dead letter that show its body in JSON. */
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
 * Parses JSON that can be shown unchanged. Returns undefined if the text is not JSON, is nested too deeply to be written
 * again safely, or would be shown differently, such as large numbers that are rounded.
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
