import { invalid } from "../http/mistakes";
import { HttpProblem } from "../http/problem";
import { greatestId, integer, text, type ValuesOf } from "../http/query";
import type { Actor } from "../schema/actor";
import { type Catalogue, UnknownEventType } from "../schema/catalogue";
import { typesWithErasure } from "../schema/erasure";
import type { Mistake } from "../schema/mistakes";
import { visibleEvents } from "../store/access";
import type { EventFilter } from "./log-pieces";

/** Query parameters that select events after a position. */
export const eventParameters = {
  after: integer(0, greatestId, "Only events after this position, an integer: the `next` of the previous page."),
  type: text(
    2000,
    "Only events of these types, separated by commas: names such as `item.created`, or patterns such as `item.*` and `*.deleted`.",
  ),
  resource: text(100, "Only events of this resource, such as `item`."),
  id: integer(1, greatestId, "Only events of the record with this id, an integer. Requires `resource`."),
};

export type EventQuery = ValuesOf<typeof eventParameters>;

/** The query as a client sends it. */
export type SentEventQuery = { after?: number | string; type?: string; resource?: string; id?: number | string };

/**
 * Returns the filter that a query describes, limited to events that the actor may see.
 *
 * @throws {HttpProblem} 422 listing every mistake.
 */
export function filterOf({ type, resource, id }: EventQuery, catalogue: Catalogue, actor: Actor | undefined): EventFilter {
  const mistakes: Mistake[] = [];
  const named = catalogue.resources.find(({ name }) => name === resource);
  if (resource !== undefined && !named) {
    mistakes.push({ pointer: "/resource", detail: `Expected one of ${catalogue.resources.map(({ name }) => name).join(", ")}.` });
  }
  if (id !== undefined && resource === undefined) {
    mistakes.push({ pointer: "/id", detail: "Requires `resource`, because records of different resources can have the same id." });
  }
  let types: string[] | null = null;
  try {
    if (type !== undefined) types = catalogue.select(type.split(","));
  } catch (error) {
    if (!(error instanceof UnknownEventType)) throw error;
    mistakes.push({
      pointer: "/type",
      detail: `Expected types or patterns that match at least one of ${catalogue.eventTypes.join(", ")}.`,
    });
  }
  if (named) {
    const own = typesWithErasure(named);
    types = types === null ? [...own] : types.filter((one) => own.includes(one));
    if (types.length === 0) mistakes.push({ pointer: "/type", detail: `Expected a type of ${named.name}: ${own.join(", ")}.` });
  }
  if (mistakes.length > 0) throw invalid("query", mistakes);
  return { types, subject: id ?? null, visible: visibleEvents(catalogue.resources, actor) };
}

/**
 * Returns the position after which a stream starts: the Last-Event-ID of a client that reconnects, else `after`. Returns
 * undefined to start now.
 *
 * @throws {HttpProblem} 422 if Last-Event-ID is not a position.
 */
export function startOf(request: Request, query: EventQuery): number | undefined {
  const lastEventId = request.headers.get("last-event-id");
  if (!lastEventId) return query.after;
  const position = eventParameters.after.read(lastEventId);
  if (position !== undefined) return position;
  throw new HttpProblem(422, "The header Last-Event-ID is not valid.", [
    { pointer: "/last-event-id", detail: "Expected the `id` of an event of this stream." },
  ]);
}
