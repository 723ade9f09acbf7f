// What a process that changes records asks of the process that owns the database, as JSON: the methods of `TransactionEngine`, of `Timers` the one that
// operators use, and the announcement of a schedule.
import { type Static, Type } from "@sinclair/typebox";
import { listMistakes, mistakesIn } from "../schema/check";
import type { Resource } from "../schema/resource";
import type { ErrorText } from "../store/error-text";
import type { Plan, Read, Write } from "../store/transaction/engine";

const ResourceName = Type.String({ minLength: 1 });
const Id = Type.Integer({ minimum: 1 });
const StoredText = Type.Object({ id: Id, version: Type.Integer(), json: Type.String() });
const Found = Type.Union([StoredText, Type.Null()]);

const ReadText = Type.Union([
  Type.Object({ kind: Type.Literal("record"), resource: ResourceName, id: Id, found: Found }),
  Type.Object({
    kind: Type.Literal("key"),
    ...{ resource: ResourceName, name: Type.String(), values: Type.Object({}), found: Type.Union([Id, Type.Null()]) },
  }),
  Type.Object({ kind: Type.Literal("list"), resource: ResourceName, where: Type.Object({}), found: Type.Array(Id) }),
]);

/** Only consumers ask. */
const Actor = Type.Object({
  subject: Type.String({ pattern: "^consumer:." }),
  scopes: Type.Array(Type.String()),
  claims: Type.Optional(Type.Object({})),
});

const WriteText = Type.Object({
  kind: Type.Union([Type.Literal("insert"), Type.Literal("update"), Type.Literal("remove")]),
  resource: ResourceName,
  state: StoredText,
  emit: Type.Optional(Type.Record(Type.String(), Type.Object({}))),
  later: Type.Optional(Type.Array(Type.Object({ event: Type.String() }))),
  cancel: Type.Optional(Type.Array(Type.String())),
  actor: Type.Optional(Actor),
});

const PlanText = Type.Object({
  reads: Type.Array(ReadText),
  writes: Type.Array(WriteText),
  cancel: Type.Array(Type.String()),
  context: Type.Object({
    actor: Type.Optional(Actor),
    cause: Type.Optional(Type.Object({ id: Type.String({ minLength: 1 }), depth: Type.Integer({ minimum: 0 }) })),
    traceparent: Type.Optional(Type.String()),
    once: Type.Optional(
      Type.Object({
        ...{ key: Type.String({ minLength: 1 }), part: Type.Integer({ minimum: 0 }), fingerprint: Type.String() },
        ...{ owner: Type.Optional(Type.Union([Type.String(), Type.Null()])), livesMs: Type.Optional(Type.Number({ minimum: 1 })) },
      }),
    ),
  }),
  /** The result to keep for the idempotency key. */
  answer: Type.Optional(Type.String()),
});

const ScheduleText = Type.Object({
  ...{ queue: Type.String({ minLength: 1 }), pattern: Type.String(), timeZone: Type.String(), overlap: Type.Boolean() },
  missed: Type.Union([Type.Literal("once"), Type.Literal("skip")]),
});

const Operation = Type.Union([
  Type.Object({ ask: Type.Literal("record"), resource: ResourceName, id: Id }),
  Type.Object({ ask: Type.Literal("key"), resource: ResourceName, name: Type.String(), values: Type.Object({}) }),
  Type.Object({ ask: Type.Literal("list"), resource: ResourceName, where: Type.Object({}) }),
  Type.Object({ ask: Type.Literal("id"), resource: ResourceName }),
  Type.Object({ ask: Type.Literal("chain"), event: Type.String({ minLength: 1 }) }),
  Type.Object({ ask: Type.Literal("cancelTimer"), number: Id }),
  Type.Object({ ask: Type.Union([Type.Literal("commit"), Type.Literal("check")]), plan: PlanText }),
  Type.Object({ ask: Type.Literal("schedule"), schedule: ScheduleText }),
  Type.Object({ ask: Type.Literal("removeSchedule"), queue: Type.String({ minLength: 1 }) }),
]);
export const Operations = Type.Array(Operation, { maxItems: 1000 });

/** Maximum size of the operations of a request over HTTP, in bytes. */
export const maxOperationsBytes = 16 * 1024 * 1024;

const ErrorSchema = Type.Object({
  ...{ name: Type.String(), message: Type.String(), summary: Type.Optional(Type.String()) },
  mistakes: Type.Optional(Type.Array(Type.Unknown())),
});
export type Operation = Static<typeof Operation>;
type PlanText = Static<typeof PlanText>;

/** The answer to an operation. A value that is undefined is null. */
export type OperationAnswer = { readonly value: unknown } | { readonly error: ErrorText };
/** The answers to operations, in their order. */
export const OperationAnswersSchema = Type.Unsafe<OperationAnswer[]>(
  Type.Array(Type.Union([Type.Object({ value: Type.Unknown() }), Type.Object({ error: ErrorSchema })])),
);

/**
 * Reads the operations of a request.
 *
 * @throws {TypeError} if they are not valid.
 */
export function readOperations(text: string): readonly Operation[] {
  const value: unknown = JSON.parse(text);
  const mistakes = mistakesIn(Operations, value);
  if (mistakes.length > 0) throw new TypeError(`The operations are not valid. ${listMistakes(mistakes)}`);
  return value as readonly Operation[];
}

/** Returns the operation that commits a plan, or checks it. */
export function planned(ask: "commit" | "check", { reads, writes, cancel, context, answerOf }: Plan): Operation {
  const named = <T extends { readonly resource: Resource }>({ resource, ...rest }: T) => ({ ...rest, resource: resource.name });
  const answer = answerOf([]);
  const plan = {
    reads: reads.map((read) => ({ ...named(read), found: read.found ?? null })),
    writes: writes.map(named),
    ...{ cancel, context },
    ...(answer !== undefined && { answer }),
  };
  return { ask, plan: plan as unknown as PlanText };
}

/**
 * Returns the plan of an operation.
 *
 * @param resourceOf returns a resource by its name, or throws.
 */
export function planOf({ reads, writes, answer, ...rest }: PlanText, resourceOf: (name: string) => Resource): Plan {
  const withResource = <T extends { readonly resource: string }>(part: T) => ({ ...part, resource: resourceOf(part.resource) });
  return {
    ...(rest as Pick<Plan, "cancel" | "context">),
    reads: reads.map((read) => ({ ...withResource(read), found: read.found ?? undefined }) as Read),
    writes: writes.map((write) => withResource(write) as unknown as Write),
    answerOf: () => answer,
  };
}
