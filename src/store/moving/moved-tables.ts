import type { Resource } from "../../schema/resource";

/** A row of a table that moves. */
export type MovedRow = Readonly<Record<string, string | number | null>>;

/** A table of any number of rows, which are copied in the order of their key, a part at a time. */
export type BulkTable = RecordsTable | { readonly kind: Exclude<BulkKind, "records"> };

export interface RecordsTable {
  readonly kind: "records";
  readonly resource: Resource;
  /** Number of the schema that the records are in. */
  readonly shape: number;
  /** The greatest id that was ever used. */
  readonly lastId: number;
}

export type BulkKind = keyof typeof bulkColumns;

/** Columns of the tables of any number of rows. The first one is the key: an integer of 0 or more. */
export const bulkColumns = {
  events: [
    ...["position", "id", "type", "subject", "timestamp", "body"],
    ...["traceparent", "requestId", "requestedAt", "owner", "scope", "cause"],
  ],
  records: ["id", "version", "shape", "json"],
  answers: ["number", "key", "part", "fingerprint", "answer", "at", "livesMs"],
  timers: [
    ...["number", "dueAt", "key", "resource", "subject", "event", "version"],
    ...["data", "cause", "depth", "actor", "traceparent", "problem"],
  ],
  relayTimes: ["position", "at"],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type SmallKind = keyof typeof smallColumns;

/** Columns of the tables of few rows, which are copied all at once, at the end. Rows are in the order of the first columns. */
export const smallColumns = {
  subscriptions: ["queue", "types", "announcedAt", "signedAt"],
  retryQueues: ["queue", "delayMs", "expiresAt"],
  refusals: ["queue", "problem", "count", "lastAt"],
  replays: [
    ...["id", "logId", "queue", "fill", "selection", "first", "position", "begun", "last"],
    ...["sent", "refused", "createdAt", "finishedAt", "error"],
  ],
  schedules: [
    ...["number", "queue", "pattern", "timeZone", "missed", "overlap", "announcedAt", "since"],
    ...["dueAt", "lastAt", "lastTick", "done"],
  ],
  recordChecks: ["resource", "fingerprint"],
  relayTrouble: ["queue", "what", "since"],
} as const satisfies Record<string, readonly [string, ...string[]]>;

/** Returns the name of a table, as messages show it. */
export function nameOf(table: BulkTable): string {
  return table.kind === "records" ? table.resource.plural : bulkNames[table.kind];
}

const bulkNames = { events: "events", answers: "idempotency keys", timers: "timers", relayTimes: "times of the relay" } as const;
