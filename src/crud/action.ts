import type { Static, TObject, TSchema, TUnsafe } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { actorOf } from "../http/actor";
import { problems } from "../http/problem";
import { type Dependencies, defineRoute } from "../routing/route";
import type { Actor } from "../schema/actor";
import { withoutPrivate } from "../schema/private";
import type { Recorded } from "../schema/record";
import type { Input, Resource, ResourceTypes } from "../schema/resource";
import { type PatchOf, patched } from "../store/patched";
import type { Later } from "../store/timers";
import type { LaterOptions } from "../store/transaction/changes";
import type { Transaction } from "../store/transaction/transaction";
import { actionBody } from "./action-body";
import { describeAction } from "./descriptions";
import { answer, found } from "./parts";
import { conditionsOf } from "./request-conditions";
import { paramsOf, recordSchema } from "./resource-schemas";
import { refuseRetired } from "./retired";

/** Schema of a body: `Type.Object({…})`, or that of a custom event's data, such as `ticket.events.closed`. */
type Body = TObject | TUnsafe<object> | undefined;
type Given<B extends Body> = B extends TSchema ? Static<B> : undefined;

/** The circumstances of an action, besides the record and the body. */
export interface ActionContext {
  /** Who sends the request. Undefined if the API has no tokens. */
  readonly actor: Actor | undefined;
}

export interface ActionOptions<T extends ResourceTypes, B extends Body, Patch> {
  /** One line for the API documentation, such as "Close a ticket". Default: that it changes the record. */
  readonly summary?: string;
  /** Schema of the request body. Properties that it does not name are refused. Default: the request must have no body. */
  readonly body?: B;
  /**
   * Returns the fields to change. It may set managed fields. Throw `new Conflict("…")` if the state of the record does not allow the
   * action. It runs inside the commit, so it must be quick and must not be async. Default: the record stays as it is.
   */
  readonly change?: (record: Recorded<T["fields"]>, body: Given<B>, context: ActionContext) => Patch;
  /**
   * As `change`, for an action that reads or changes other records, too: all changes are one commit with their events. It runs again
   * if something that it read has changed before the commit, so it must have no effects besides those of `tx`. Default: none.
   */
  readonly transaction?: (tx: Transaction, record: Recorded<T["fields"]>, body: Given<B>, context: ActionContext) => Promise<Patch>;
  /** The custom events to publish with the change, each with a function that returns its data. Default: none. */
  readonly emit?: { readonly [Event in keyof T["events"]]?: (body: Given<B>) => T["events"][Event] };
  /** The custom events to publish later, each with a function that returns when, with its data and key. Default: none. */
  readonly later?: { readonly [Event in keyof T["events"]]?: (about: About<B>) => LaterOptions<T["events"][Event]> };
  /** Returns the keys of events that were to be published later, and are not any more. Default: none. */
  readonly cancel?: (about: About<B>) => readonly string[];
}

/** The record and the request of a call of an action. */
export interface About<B extends Body> extends ActionContext {
  /** The id of the record. */
  readonly id: number;
  readonly body: Given<B>;
}

/**
 * Builds the route of an action on a record: a `POST` that is not CRUD, such as closing a ticket. The answer is the changed record.
 * Export the result from a file below a folder `[id]`.
 *
 * The action supports `If-Match`, `If-None-Match` and `Idempotency-Key`. Failed requests are answered with a problem (RFC 9457).
 *
 * @throws {TypeError} if it neither changes nor emits anything, emits an event that the resource does not declare, or its body is
 *   not a valid schema for JSON.
 * @example
 * // routes/tickets/[id]/close.ts is POST /tickets/:id/close
 * export default action(ticket, {
 *   summary: "Close a ticket",
 *   body: Type.Object({ reason: Type.String() }),
 *   change(ticket) {
 *     if (ticket.state === "closed") throw new Conflict("The ticket is closed already.");
 *     return { state: "closed" };
 *   },
 *   emit: { closed: ({ reason }) => ({ reason }) },
 * });
 */
export function action<T extends ResourceTypes, const Patch extends PatchOf<T, Patch>, B extends Body = undefined>(
  resource: Resource<T>,
  { summary, body: schema, change, transaction, emit = {}, later = {}, cancel }: ActionOptions<T, B, Patch>,
) {
  const { name } = resource;
  const emitted = Object.entries(emit) as [string, (body: Given<B>) => object][];
  const postponed = Object.entries(later) as [string, (about: About<B>) => LaterOptions][];
  refuseRetired(resource, "action");
  checkEvents(
    resource,
    [...emitted, ...postponed].map(([event]) => event),
    [change, transaction].filter((each) => each !== undefined).length,
    cancel !== undefined,
  );
  const { options, complete } = actionBody<Input<Given<B>>, Given<B>>(name, schema);
  return defineRoute(({ storeFor, catalogue }: Dependencies) => {
    const record = recordSchema(resource, catalogue);
    const params = paramsOf(resource);
    return new Elysia().post(
      "",
      async ({ params: { id }, body, request }) => {
        const given = complete(body);
        const context = { actor: actorOf(request) };
        const { guard, once } = conditionsOf(resource, request, body);
        const about = { id: Number(id), body: given, ...context };
        const events = {
          emit: Object.fromEntries(emitted.map(([event, data]) => [event, data(given)])) as T["events"],
          later: postponed.map(([event, when]) => ({ event, ...when(about) })) as unknown as Later<T["events"]>[],
          cancel: cancel?.(about) ?? [],
        };
        if (transaction) {
          const work = async (tx: Transaction) => {
            // Changes nothing: it reads the record, which must meet the conditions of the request.
            const current = await tx.update(resource, Number(id), {}, { guard });
            return tx.update(resource, Number(id), await transaction(tx, current, given, context), events);
          };
          return answer(withoutPrivate(resource, await storeFor(request).transaction(work, { once })));
        }
        const patch = (current: Recorded<T["fields"]>) => patched(resource, current, change ? change(current, given, context) : {});
        return answer(found(await storeFor(request).update(resource, Number(id), patch, { guard, once, ...events }), name, id));
      },
      {
        params,
        ...options,
        response: { 200: record, ...problems(400, 404, 409, 412, 415, 422, 429, 503) },
        detail: describeAction(resource, params, {
          summary,
          changes: transaction ? "records" : change ? "record" : "none",
          events: emitted.map(([event]) => event),
        }),
      },
    );
  });
}

function checkEvents({ name, events, retired }: Resource, emitted: readonly string[], changes: number, cancels: boolean): void {
  if (changes > 1) throw new TypeError(`An action on "${name}" has both \`change\` and \`transaction\`; remove one of them.`);
  if (changes === 0 && emitted.length === 0 && !cancels)
    throw new TypeError(
      `An action on "${name}" has none of \`change\`, \`transaction\`, \`emit\`, \`later\` and \`cancel\`; add one of them.`,
    );
  for (const event of emitted) {
    if (retired.includes(event)) throw new TypeError(`An action on "${name}" emits "${event}", which is retired.`);
    if (Object.hasOwn(events, event)) continue;
    const declared = Object.keys(events).join(", ") || "none";
    throw new TypeError(
      `An action on "${name}" emits "${event}", which the resource does not declare in \`events\`. Declared: ${declared}.`,
    );
  }
}
