import { inexact } from "../schema/exact-json";
import { isDeeperThan, maxEventDepth } from "../schema/json-depth";
import type { DeadSelection as StoredSelection } from "../store/consumer/dead-letter-table";
import { groupOf } from "./dead-group";

/** Selects dead letters. All given criteria must match. */
export interface DeadSelection extends StoredSelection {
  /** Only those of a group, by the key that `groupOf` returns. */
  readonly group?: string | undefined;
  /** Only those whose id, error, stack or body contains this text, whatever its case. */
  readonly search?: string | undefined;
  /** Only those whose last failure is at this time or later, in ISO 8601. */
  readonly from?: string | undefined;
  /** Only those whose last failure is before this time, in ISO 8601. */
  readonly to?: string | undefined;
  /** Only those that were there when a pass returned this bound. */
  readonly upTo?: number | undefined;
}

/** The properties of a dead letter that a selection looks at. */
export interface SelectedBy extends Pick<DeadLetter, "id" | "type" | "reason" | "error" | "stack" | "lastFailure"> {
  /** Returns the whole body as text. */
  readonly text: () => string;
}

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
  /** Bound of the dead letters that are there now. See {@link DeadSelection.upTo}. */
  readonly upTo: number;
}

/** The result of one pass over the dead letters of a queue. */
export interface DeadScan {
  /** Number of dead letters that were looked at, the oldest ones. */
  readonly looked: number;
  /** True if there are no others. */
  readonly isComplete: boolean;
  /** Bound of the dead letters that were there at its start. See {@link DeadSelection.upTo}. */
  readonly upTo: number;
}

/** Progress and cancellation of work on many dead letters. */
export interface Watch {
  /** Called with the number of dead letters examined so far, the total number, and the number of those redriven or discarded. */
  readonly onProgress?: (looked: number, of: number, done: number) => void;
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
  /** Rejects with {@link UnknownQueue} if the queue does not exist. */
  check(queue: string): Promise<void>;
  /**
   * Passes the selected ones of the oldest dead letters to `look`, oldest first, without removing any.
   *
   * @param most maximum number of dead letters to look at, selected or not.
   */
  scan(queue: string, selection: DeadSelection, most: number, look: (letter: DeadLetter) => void): Promise<DeadScan>;
  /** Lists dead letters, oldest first, without removing any. With a search, a page can be short or empty and still have a `next`. */
  list(queue: string, selection: DeadSelection, after: number, limit: number): Promise<DeadLetterPage>;
  /** Returns the bound `upTo` after the removal of some of the dead letters that it includes. */
  boundAfter(upTo: number, removed: number): number;
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

/** Returns whether a selection includes a dead letter, apart from `upTo`. */
export function isSelected(selection: DeadSelection, dead: SelectedBy): boolean {
  const { ids, type, reason, group, from, to, search } = selection;
  return (
    (!ids || ids.includes(dead.id)) &&
    (!type || dead.type === type) &&
    (!reason || dead.reason === reason) &&
    (!group || groupOf(dead) === group) &&
    isWithin(dead.lastFailure, from, to) &&
    (!search || contains(dead, search.toLowerCase()))
  );
}

/** A dead letter without a time is in no part of time. */
function isWithin(time: string | null, from: string | undefined, to: string | undefined): boolean {
  if (from === undefined && to === undefined) return true;
  const at = time === null ? Number.NaN : Date.parse(time);
  return (from === undefined || at >= Date.parse(from)) && (to === undefined || at < Date.parse(to));
}

function contains({ id, error, stack, text }: SelectedBy, search: string): boolean {
  const has = (one: string | null) => one?.toLowerCase().includes(search) ?? false;
  return has(id) || has(error) || has(stack) || has(text());
}
