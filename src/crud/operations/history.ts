import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { jsonResponse } from "../../http/answer-headers";
import { HttpProblem, problems } from "../../http/problem";
import { integer, limit, querySchema, readQuery } from "../../http/query";
import { placedDifferences } from "../../schema/difference";
import { isErasure } from "../../schema/erasure";
import type { Resource, ResourceTypes } from "../../schema/resource";
import { UtcTime } from "../../schema/time";
import { type HistoryReader, recordIn } from "../../store/history";
import type { LogEntry } from "../../store/log";
import { describeHistory } from "../descriptions";
import type { Parts } from "../parts";

const Change = Type.Object({
  pointer: Type.String({ description: "JSON pointer (RFC 6901) to the value." }),
  from: Type.Optional(Type.Unknown({ description: "The value before. Missing if it is new." })),
  to: Type.Optional(Type.Unknown({ description: "The value after. Missing if it was removed." })),
});
const Entry = Type.Object({
  position: Type.Integer({ minimum: 1, description: "Position of the event in the event log." }),
  event: Type.String({ description: "Id of the event." }),
  type: Type.String({ description: "Type of the event." }),
  version: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { description: "Version of the record. Null for `erased`." }),
  at: UtcTime("Time of the change."),
  actor: Type.Union([Type.String(), Type.Null()], { description: "Who made the change. Null for the service itself." }),
  changes: Type.Union([Type.Array(Change), Type.Null()], {
    description: "What changed. Null if the log does not have the state before.",
  }),
});
const HistoryPage = Type.Object(
  {
    history: Type.Array(Entry),
    next: Type.Union([Type.Integer(), Type.Null()], {
      description: "Pass it as `before` to get the next page; null on the last page.",
    }),
    complete: Type.Boolean({ description: "False if older events were removed from the event log (EVENT_RETENTION)." }),
  },
  {
    title: "HistoryPage",
    examples: [
      {
        history: [
          {
            position: 12,
            event: "0198c0de-0000-7000-8000-000000000001",
            type: "item.updated",
            version: 2,
            at: "2026-02-18T18:23:45.123Z",
            actor: "ada",
            changes: [{ pointer: "/price", from: 9.99, to: 8.99 }],
          },
        ],
        next: 12,
        complete: true,
      },
    ],
  },
);

const parameters = {
  limit,
  before: integer(1, Number.MAX_SAFE_INTEGER, "The `next` of the previous page."),
};

/** Maximum total length of the events of a page, in characters. */
const maxPageLength = 4 * 1024 * 1024;

/** `GET /:id/history`: the changes of a record, newest first. */
export function history<T extends ResourceTypes>({ resource, schemas, storeFor }: Parts<T>) {
  return new Elysia().get(
    "/:id/history",
    async ({ params: { id }, request }) => {
      const store = storeFor(request);
      const { limit: most = 50, before } = readQuery(request.url, parameters);
      const { entries, next } = await store.history.page(resource, Number(id), { before, limit: most, maxLength: maxPageLength });
      if (entries.length === 0 && next === null && before === undefined && !(await store.get(resource, Number(id))))
        throw new HttpProblem(404, `There is no ${resource.name} ${id}, and the event log has no event of it. ${retention}`);
      const older = next === null ? undefined : await nextOlder(store.history, resource, Number(id), next);
      const records = [...entries, ...(older ? [older] : [])].map((entry) => recordIn(resource, entry));
      const shown = entries.map((entry, index) => entryOf(resource, entry, records[index], records[index + 1]));
      // The oldest event of a whole history is the one that created the record.
      const complete = next !== null || isFirst(resource, shown.at(-1));
      return jsonResponse(JSON.stringify({ history: shown, next, complete }), 200) as never;
    },
    {
      params: schemas.params,
      query: querySchema<{ limit?: number | string; before?: number | string }>(parameters),
      response: { 200: HistoryPage, ...problems(404, 422, 503) },
      detail: describeHistory(resource),
    },
  );
}

export const retention = "Events older than EVENT_RETENTION are removed.";

/** Resolves with the newest event of a record before a position. */
async function nextOlder(history: HistoryReader, resource: Resource, id: number, position: number): Promise<LogEntry | undefined> {
  for (let before: number | null = position; before !== null; ) {
    const { entries, next }: Awaited<ReturnType<HistoryReader["page"]>> = await history.page(resource, id, { before, limit: 1 });
    if (entries[0]) return entries[0];
    before = next;
  }
  return undefined;
}

/**
 * @param record the record in the event.
 * @param before the record in the event before it. Undefined if the log does not have that.
 */
function entryOf(resource: Resource, entry: LogEntry, record: object | undefined, before: object | undefined): Static<typeof Entry> {
  const { position, id: event, type, timestamp: at } = entry;
  const { actor = null } = JSON.parse(entry.body) as { actor?: string };
  const { version = null } = (record ?? {}) as { version?: number };
  return { position, event, type, version, at, actor, changes: changesOf(resource, type, record, before) };
}

function changesOf(
  { name }: Resource,
  type: string,
  record: object | undefined,
  before: object | undefined,
): Static<typeof Change>[] | null {
  if (!record || isErasure(type)) return null;
  if (type === `${name}.created`) return placedDifferences(undefined, record);
  if (type === `${name}.deleted`) return placedDifferences(record, undefined);
  // A custom event has the record of the change before it, and so no differences.
  return before ? placedDifferences(before, record) : null;
}

function isFirst({ name }: Resource, oldest: Static<typeof Entry> | undefined): boolean {
  return oldest?.type === `${name}.created` && (oldest.version ?? 1) === 1;
}
