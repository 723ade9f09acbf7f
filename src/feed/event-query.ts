import { Type } from "@sinclair/typebox";
import { invalid } from "../http/mistakes";
import { integerText } from "../http/page-query";
import { HttpProblem } from "../http/problem";
import { type Catalogue, UnknownEventType } from "../schema/catalogue";
import type { Mistake } from "../schema/mistakes";
import type { EventFilter } from "./log-pieces";

const positionPattern = "^(0|[1-9][0-9]{0,14})$";

/** Query parameters that select events. */
export const filterParameters = {
  type: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2000,
      description:
        "Only events of these types, separated by commas: names such as `item.created`, or patterns such as `item.*` and `*.deleted`.",
    }),
  ),
  resource: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "Only events of this resource, such as `item`." })),
  id: Type.Optional(
    integerText("^[1-9][0-9]{0,14}$", "Only events of the record with this id, an integer. Requires `resource`.", {
      minimum: 1,
    }),
  ),
};

export const after = Type.Optional(
  integerText(positionPattern, "Only events after this position, an integer: the `next` of the previous page.", { minimum: 0 }),
);

export interface EventQuery {
  readonly type?: string;
  readonly resource?: string;
  readonly id?: string;
  readonly after?: string;
}

/**
 * Returns the filter that a query describes.
 *
 * @throws {HttpProblem} 422 listing every mistake.
 */
export function filterOf({ type, resource, id }: EventQuery, catalogue: Catalogue): EventFilter {
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
    const own: readonly string[] = named.eventTypes;
    types = types === null ? [...own] : types.filter((one) => own.includes(one));
    if (types.length === 0) mistakes.push({ pointer: "/type", detail: `Expected a type of ${named.name}: ${own.join(", ")}.` });
  }
  if (mistakes.length > 0) throw invalid("query", mistakes);
  return { types, subject: id === undefined ? null : Number(id) };
}

/**
 * Returns the position after which a stream starts: the Last-Event-ID of a client that reconnects, else `after`. Returns
 * undefined to start now.
 *
 * @throws {HttpProblem} 422 if Last-Event-ID is not a position.
 */
export function startOf(request: Request, { after }: EventQuery): number | undefined {
  const lastEventId = request.headers.get("last-event-id") || undefined;
  if (lastEventId !== undefined && !new RegExp(positionPattern).test(lastEventId)) {
    throw new HttpProblem(422, "The header Last-Event-ID is not valid.", [
      { pointer: "/last-event-id", detail: "Expected the `id` of an event of this stream." },
    ]);
  }
  const position = lastEventId ?? after;
  return position === undefined ? undefined : Number(position);
}

/** @throws {HttpProblem} 422 for a repeated parameter, since one of its values would be ignored. */
export function refuseRepeated(request: Request): void {
  const names = [...searchOf(request).keys()];
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  if (repeated.size > 0) {
    throw invalid(
      "query",
      [...repeated].map((name) => ({ pointer: `/${name}`, detail: "Expected at most once." })),
    );
  }
}

/** Returns the query of a request. The URL before it may be invalid if the Host header is. */
export function searchOf(request: Request): URLSearchParams {
  return new URLSearchParams(/\?(.*)/s.exec(request.url)?.[1]);
}
