import { count } from "../../observe/tally";
import type { Tracing } from "../../observe/tracing";
import { erased } from "../../schema/erasure";
import { serializeEvent } from "../../schema/event";
import { checkEmitted, versionOf } from "../../schema/event-type";
import type { Change, Resource } from "../../schema/resource";
import type { Tick } from "../../schema/tick";
import { scheduleResource } from "../../schema/tick-type";
import { belongingOf } from "../access";
import { ChainTooLong, mostDepth } from "../cause";
import type { ChangeContext } from "../change-context";
import type { LogEntry } from "../log";
import { shown } from "../shown";
import type { EventRecord } from "../store";
import type { Stored } from "../stored";
import type { CommitClock } from "./commit-clock";
import type { Overlay } from "./overlay";

/** An event to add. */
interface Appended {
  /** Name within the resource, such as `created`. */
  readonly name: string;
  readonly version: number;
  readonly data?: object | undefined;
}

/** A new event with the request that caused it. */
export interface NewEvent extends Omit<LogEntry, "position">, Pick<EventRecord, "requestId" | "requestedAt"> {
  /** Owner and tenant of the record. Null if its resource has none. */
  readonly owner: string | null;
  readonly scope: string | null;
  /** The id of the event whose handler made the change. Null if no handler did. */
  readonly cause: string | null;
}

/** Adds events to the log in the same commit as their change. */
export class EventAppender {
  /** Number of committed events by type. */
  readonly tally = new Map<string, number>();
  /** Events that were committed, in order, until somebody takes them. */
  #appended: NewEvent[] = [];
  /** True if events may have been erased by the commit that added them, or by a later one. */
  #hasErased = false;

  /** @param write writes an event with the running change. */
  constructor(
    readonly overlay: Overlay,
    readonly write: (event: NewEvent) => void,
    resources: readonly Resource[],
    readonly clock: CommitClock,
    readonly tracing: Pick<Tracing, "create">,
  ) {
    for (const { eventTypes } of resources) for (const type of eventTypes) this.tally.set(type, 0);
  }

  /**
   * Adds the event of a change, followed by the custom events of `context.emit`.
   *
   * @param change null if nothing changed; then only the custom events are added.
   * @throws {TypeError} if the resource does not have such an event.
   * @throws {InvalidChange} if the data of a custom event is not valid.
   */
  append(resource: Resource, change: Change | null, stored: Stored, timestamp: string, context?: ChangeContext): void {
    const { emit = {} } = context ?? {};
    const append = (name: string, data?: object) => {
      this.#append(resource, { name, version: versionOf(resource, name), data }, stored, timestamp, context);
    };
    checkEmitted(resource, emit);
    if (change) append(change);
    for (const [name, data] of Object.entries(emit)) if (data) append(name, data);
  }

  /** Adds the event that a record was erased. */
  appendErased(resource: Resource, id: number, context?: ChangeContext): void {
    this.#append(resource, { name: erased, version: 1 }, { id, json: JSON.stringify({ id }) }, this.clock.now(), context);
    this.overlay.onCommit(() => {
      this.#hasErased = true;
    });
  }

  /** Adds the event that the time of a schedule has come. Returns its id. */
  appendTick(schedule: Tick["schedule"]): string {
    const stored = { id: schedule.id, json: JSON.stringify(schedule) };
    return this.#append(scheduleResource, { name: "due", version: 1 }, stored, this.clock.now());
  }

  /** Returns the id of the event. */
  #append(
    resource: Resource,
    event: Appended,
    record: Pick<Stored, "id" | "json">,
    timestamp: string,
    context: ChangeContext = {},
  ): string {
    const { traceparent = null, requestId = null, requestedAt = null } = context;
    const { actor, cause } = context;
    if (cause && cause.depth >= mostDepth) throw new ChainTooLong(cause);
    const by = { ...(actor && { actor: actor.subject }), ...(cause && { cause: cause.id, depth: cause.depth + 1 }) };
    const id = this.clock.eventId();
    const type = `${resource.name}.${event.name}`;
    const body = serializeEvent(
      { id, type, version: event.version, timestamp, ...by },
      resource.name,
      shown(resource, record).json,
      event.data,
    );
    const span = this.tracing.create({ id, type }, traceparent ?? undefined);
    const { owner, scope } = belongingOf(resource, record.json);
    const traced = span.traceparent ?? traceparent;
    const added = {
      id,
      type,
      subject: record.id,
      timestamp,
      body,
      traceparent: traced,
      requestId,
      requestedAt,
      owner,
      scope,
      cause: cause?.id ?? null,
    };
    this.write(added);
    this.overlay.addsEvent(id);
    this.overlay.onCommit(() => {
      count(this.tally, type);
      span.end();
      this.#appended.push(added);
    });
    return id;
  }

  /** Returns the events that were committed since the previous call, in order, and whether the log has all of them as they are. */
  takeAppended(): { readonly events: readonly NewEvent[]; readonly areFinal: boolean } {
    const taken = { events: this.#appended, areFinal: !this.#hasErased };
    this.#appended = [];
    this.#hasErased = false;
    return taken;
  }
}
