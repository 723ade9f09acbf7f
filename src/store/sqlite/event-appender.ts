import { count } from "../../observe/tally";
import type { Tracing } from "../../observe/tracing";
import { erased } from "../../schema/erasure";
import { serializeEvent } from "../../schema/event";
import { checkEmitted, versionOf } from "../../schema/event-type";
import type { Change, Resource } from "../../schema/resource";
import { belongingOf } from "../access";
import type { ChangeContext } from "../change-context";
import { shown } from "../shown";
import type { Stored } from "../stored";
import type { CommitClock } from "./commit-clock";
import type { Uncommitted, Write } from "./uncommitted";

/** An event to add. */
interface Appended {
  /** Name within the resource, such as `created`. */
  readonly name: string;
  readonly version: number;
  readonly data?: object | undefined;
}

/** Adds events to the log in the same commit as their change. */
export class EventAppender {
  /** Number of committed events by type. */
  readonly tally = new Map<string, number>();
  readonly #insert: Write;
  #hasAppended = false;

  constructor(
    readonly uncommitted: Uncommitted,
    resources: readonly Resource[],
    readonly clock: CommitClock,
    readonly tracing: Pick<Tracing, "create">,
  ) {
    this.#insert = uncommitted.prepare(
      `INSERT INTO events (id, type, subject, timestamp, body, traceparent, requestId, requestedAt, owner, scope)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
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
  }

  #append(resource: Resource, event: Appended, record: Pick<Stored, "id" | "json">, timestamp: string, context: ChangeContext = {}): void {
    const { traceparent = null, requestId = null, requestedAt = null } = context;
    const actor = context.actor && { actor: context.actor.subject };
    const { owner, scope } = belongingOf(resource, record.json);
    const id = this.clock.eventId();
    const type = `${resource.name}.${event.name}`;
    const body = serializeEvent(
      { id, type, version: event.version, timestamp, ...actor },
      resource.name,
      shown(resource, record).json,
      event.data,
    );
    const span = this.tracing.create({ id, type }, traceparent ?? undefined);
    this.#insert(id, type, record.id, timestamp, body, span.traceparent ?? traceparent, requestId, requestedAt, owner, scope);
    this.uncommitted.addsEvent(id);
    this.uncommitted.onCommit(() => {
      count(this.tally, type);
      span.end();
      this.#hasAppended = true;
    });
  }

  /** Returns whether any events were committed since the previous call. */
  hasAppended(): boolean {
    const has = this.#hasAppended;
    this.#hasAppended = false;
    return has;
  }
}
