import { Type } from "@sinclair/typebox";
import type { DeadGroup } from "../delivery/dead-groups";
import { deadReasons } from "../delivery/outcome";
import type { ShownDeadLetter } from "../delivery/shown-dead-letter";
import { greatestId, integer, limit, type Parameter, text, word } from "../http/query";
import { parseTime, UtcTime } from "../schema/time";

const ofType = "Only events of this type.";
const withReason = `Only dead letters with this reason: ${deadReasons.join(", ")}.`;
const ofGroup = "Only dead letters of this group: its key.";
const withText = "Only dead letters whose id, error, stack or body contains this text, whatever its case.";
const since = "Only dead letters whose last failure was at this time or later, such as 2026-11-01T08:00:00Z.";
const until = "Only dead letters whose last failure was before this time.";

/** Returns a parameter for a time, whose value is in ISO 8601. */
function time(description: string): Parameter<string> {
  return { description, documented: { type: "string", format: "date-time" }, read: (given) => parseTime(given, "utc")?.toISOString() };
}

/** Query parameters that select dead letters. */
export const filterParameters = {
  type: text(200, ofType),
  reason: text(200, withReason),
  group: text(40, ofGroup),
  search: text(200, withText),
  from: time(since),
  to: time(until),
};
export type FilterQuery = Partial<Record<keyof typeof filterParameters, string>>;

export const listParameters = {
  limit,
  after: integer(0, greatestId, "The `next` of the previous page, an integer."),
  ...filterParameters,
  body: word(["none"], "Leaves out `body` and `stack`, which are null then."),
};
export const discardParameters = {
  // Bun refuses a request line and headers of more than 16 KiB in total.
  ids: text(12_000, "Only events with these ids, separated by commas."),
  ...filterParameters,
  all: word(["true"], "Selects all dead letters of the queue. Required if there is no filter."),
};

/** Properties of a request's body that select dead letters. */
export const selectionProperties = {
  ids: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      minItems: 1,
      maxItems: 1000,
      description: "Only events with these ids.",
    }),
  ),
  type: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: ofType })),
  reason: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: withReason })),
  group: Type.Optional(Type.String({ minLength: 1, maxLength: 40, description: ofGroup })),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: withText })),
  from: Type.Optional(UtcTime(since)),
  to: Type.Optional(UtcTime(until)),
};

export const Selection = Type.Object(selectionProperties, {
  additionalProperties: false,
  description: "A dead letter is selected if it matches every filter. Without filters, all are selected.",
});

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const letterProperties = {
  id: Type.String({ description: "Id of the event; empty if the message has no id." }),
  type: nullable("Type of the event; null if the message does not contain it."),
  reason: Type.String({ description: `Reason why the event was dead-lettered: ${deadReasons.join(", ")}.` }),
  error: Type.String(),
  stack: nullable("Stack trace of the handler's error, truncated."),
  attempts: Type.Integer(),
  firstFailure: Type.Union([UtcTime("Time of the first failure."), Type.Null()]),
  lastFailure: Type.Union([UtcTime("Time of the last failure."), Type.Null()]),
  body: Type.Unknown({ description: "The event as JSON; as text if it is not JSON; in base64 if it is not text. Truncated to 64 KiB." }),
  bodyEncoding: Type.Union([Type.Literal("json"), Type.Literal("text"), Type.Literal("base64")]),
  bodyBytes: Type.Integer({ description: "Size of the complete body." }),
  group: Type.String({ description: "Key of its group: that of dead letters with the same error." }),
  subject: Type.Union([Type.Integer(), Type.Null()], { description: "Id of the record. null if the body does not say it." }),
};

const next = Type.Union([Type.Integer(), Type.Null()], { description: "Pass it as `after` to get the next page; null on the last page." });
const example: ShownDeadLetter = {
  id: "0198c0de-0000-7000-8000-000000000001",
  type: "item.created",
  reason: "attempts-exhausted",
  error: "Error: the warehouse does not answer",
  stack: null,
  attempts: 5,
  firstFailure: "2026-02-18T18:23:45.123Z",
  lastFailure: "2026-02-18T18:24:01.456Z",
  body: { type: "item.created" },
  bodyEncoding: "json",
  bodyBytes: 23,
  group: "2q1v3x0m",
  subject: 1,
};

const upTo = Type.Integer({
  minimum: 0,
  description: "Bound of the dead letters that are there now, for a job that is to leave alone those that come later.",
});

export const DeadLetterList = Type.Object(
  { deadLetters: Type.Array(Type.Object(letterProperties)), next, upTo },
  { examples: [{ deadLetters: [example], next: null, upTo: 1 }] },
);

const oneGroup: DeadGroup = {
  ...{ group: "2q1v3x0m", error: "Error: the warehouse does not answer", reason: "attempts-exhausted", count: 9 },
  ...{ types: ["item.created"], firstFailure: "2026-02-18T18:23:45.123Z", lastFailure: "2026-02-18T18:24:01.456Z" },
  newest: "0198c0de-0000-7000-8000-000000000001",
};

export const DeadGroupList = Type.Object(
  {
    groups: Type.Array(
      Type.Object({
        group: Type.String({ description: "Key of the group, for the filter `group`." }),
        error: Type.String({ description: "First line of the error of the newest one." }),
        reason: Type.String(),
        count: Type.Integer(),
        types: Type.Array(Type.String(), { description: "Event types, up to ten." }),
        firstFailure: Type.Union([UtcTime("Time of the first failure."), Type.Null()]),
        lastFailure: Type.Union([UtcTime("Time of the last failure."), Type.Null()]),
        newest: Type.String({ description: "Event id of the newest one." }),
      }),
      { description: "The 100 largest groups, the largest first." },
    ),
    matched: Type.Integer({ description: "Number of dead letters in all groups." }),
    looked: Type.Integer({ description: "Number of dead letters that were searched." }),
    complete: Type.Boolean({ description: "False if there are more than were searched, which are the oldest 10,000." }),
    upTo,
  },
  { title: "DeadLetterGroups", examples: [{ groups: [oneGroup], matched: 9, looked: 12, complete: true, upTo: 12 }] },
);
