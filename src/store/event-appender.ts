import type { Database, Statement } from "bun:sqlite";
import { serializeEvent } from "../domain/event";
import { versionOf } from "../domain/event-type";
import type { Change, Resource } from "../domain/resource";
import { count } from "../observe/tally";
import type { Span, Tracing } from "../observe/tracing";
import type { ChangeContext, Stored } from "./store";

/** Adds events to the log, within the commit of the change that they tell of. */
export class EventAppender {
  /** How many of each type were committed. */
  readonly tally = new Map<string, number>();
  readonly #insert: Statement;
  /** Those of the events that the next commit adds. */
  #types: string[] = [];
  #spans: Span[] = [];

  constructor(
    db: Database,
    resources: readonly Resource[],
    readonly tracing: Pick<Tracing, "create">,
  ) {
    this.#insert = db.prepare(
      "INSERT INTO events (id, type, subject, timestamp, body, traceparent, requestId, requestedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    for (const { eventTypes } of resources) for (const type of eventTypes) this.tally.set(type, 0);
  }

  /** Adds the event of a change, and behind it those of its own that the change publishes. */
  append(resource: Resource, change: Change, stored: Stored, timestamp: string, context?: ChangeContext): void {
    const { traceparent = null, requestId = null, requestedAt = null, emit = {} } = context ?? {};
    const append = (name: string, data?: object) => {
      const id = Bun.randomUUIDv7();
      const type = `${resource.name}.${name}`;
      const body = serializeEvent({ id, type, version: versionOf(resource, name), timestamp }, resource.name, stored.json, data);
      const span = this.tracing.create({ id, type }, traceparent ?? undefined);
      this.#insert.run(id, type, stored.id, timestamp, body, span.traceparent ?? traceparent, requestId, requestedAt);
      this.#spans.push(span);
      this.#types.push(type);
    };
    append(change);
    for (const [name, data] of Object.entries(emit)) if (data) append(name, data);
  }

  /** Answers whether the commit added any. */
  committed(): boolean {
    if (this.#types.length === 0) return false;
    for (const type of this.#types) count(this.tally, type);
    this.#types = [];
    for (const span of this.#spans.splice(0)) span.end();
    return true;
  }

  rolledBack(): void {
    this.#types = [];
    this.#spans = [];
  }
}
