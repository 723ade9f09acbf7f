import { checkEmitted, versionOf } from "../../schema/event-type";
import type { Resource } from "../../schema/resource";
import { ChainTooLong, mostDepth } from "../cause";
import type { ChangeContext } from "../change-context";
import { dueAt, type Later, type NewTimer } from "../timers";
import type { Overlay } from "./overlay";

/** The timers in an engine: reads them as last committed, and writes with the running change. */
export interface StoredTimers {
  /** Returns whether there is a timer. */
  has(number: number): boolean;
  set(timer: NewTimer): void;
  cancel(key: string): void;
  /** Removes the timers of a record. */
  drop(resource: string, subject: number): void;
  take(number: number): void;
  /** Notes why a timer cannot become an event. */
  hinder(number: number, problem: string): void;
}

const longestKey = 200;

/** Sets and removes timers in the same commit as the change of their record. Call its methods only inside a change. */
export class TimerChanges {
  constructor(
    readonly overlay: Overlay,
    readonly stored: StoredTimers,
  ) {}

  /**
   * Cancels and sets the timers of a change.
   *
   * @param timestamp time of the change.
   * @throws {TypeError} if the resource does not have such an event, or a time or key is not valid.
   * @throws {InvalidChange} if the data of an event is not valid.
   */
  apply(resource: Resource, subject: number, timestamp: string, { later, cancel, ...context }: ChangeContext): void {
    for (const key of cancel ?? []) this.cancel(key);
    for (const each of later ?? []) this.#set(resource, subject, Date.parse(timestamp), each, context);
  }

  /**
   * Cancels the timer with a key, if there is one.
   *
   * @throws {TypeError} if the key is not valid.
   */
  cancel(key: string): void {
    this.stored.cancel(checkedKey(key));
    this.overlay.keep(ofKey(key), true);
  }

  /** Removes the timers of a record that is deleted. */
  drop({ name, events }: Resource, subject: number): void {
    if (Object.keys(events).length === 0) return;
    this.stored.drop(name, subject);
    this.overlay.keep(ofRecord(name, subject), true);
  }

  /** Removes a timer that becomes an event now. Returns false if it is gone. */
  take({ number, key, resource, subject }: { readonly number: number } & Pick<NewTimer, "key" | "resource" | "subject">): boolean {
    const isGone = [`timer ${number}`, ofRecord(resource, subject), ...(key === null ? [] : [ofKey(key)])].some((each) =>
      this.overlay.find(each),
    );
    if (isGone || !this.stored.has(number)) return false;
    this.stored.take(number);
    this.overlay.keep(`timer ${number}`, true);
    return true;
  }

  #set(resource: Resource, subject: number, now: number, later: Later, { cause, actor, traceparent }: ChangeContext): void {
    const { event, data = {}, key } = later;
    checkEmitted(resource, { [event]: data });
    if (cause && cause.depth >= mostDepth) throw new ChainTooLong(cause);
    if (key !== undefined) this.cancel(key);
    this.stored.set({
      ...{ dueAt: dueAt(later, now), key: key ?? null, resource: resource.name, subject, event, version: versionOf(resource, event) },
      ...{ data: JSON.stringify(data), cause: cause?.id ?? null, depth: cause?.depth ?? 0 },
      ...{ actor: actor?.subject ?? null, traceparent: traceparent ?? null },
    });
  }
}

// A timer that an uncommitted change has set is not due before it is committed, so these tell of all older ones.
const ofKey = (key: string) => `timers with ${key}`;
const ofRecord = (resource: string, subject: number) => `timers of ${resource}/${subject}`;

function checkedKey(key: unknown): string {
  if (typeof key === "string" && key.length > 0 && key.length <= longestKey && key.isWellFormed()) return key;
  throw new TypeError(`The key of a timer must be a text of 1 to ${longestKey} characters, such as "remind:7".`);
}
