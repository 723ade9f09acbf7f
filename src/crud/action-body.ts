import type { TProperties, TSchema, TUnsafe } from "@sinclair/typebox";
import { Type } from "@sinclair/typebox";
import { jsonBody } from "../http/json-body";
import { noBody } from "../http/no-body";
import { checkable } from "../schema/checkable";
import { exampleOf } from "../schema/example";
import { inputSchema, withDefaults } from "./defaults";

/** How a route reads its body. */
interface ReadBody<Sent, Complete> {
  /** Options of the route. Their types are the same with and without a body, so that one route fits both. */
  readonly options: {
    readonly body: TUnsafe<Sent>;
    readonly parse: "none";
    readonly transform: (context: { request: Request; body: unknown }) => Promise<void>;
  };
  /** Returns the body with the defaults of what it omits. */
  readonly complete: (sent: unknown) => Complete;
}

/**
 * Returns how to read the body of an action.
 *
 * @param name name of the resource, for error messages.
 * @param schema schema of the body. Undefined if there is no body.
 * @throws {TypeError} if it is not a valid schema of an object for JSON.
 */
export function actionBody<Sent, Complete>(name: string, schema: TSchema | undefined): ReadBody<Sent, Complete> {
  if (!schema) return { options: noBody<Sent>(), complete: () => undefined as Complete };
  const properties = schema["properties"] as TProperties | undefined;
  if (!properties)
    throw new TypeError(`An action on "${name}": the body must be an object, such as Type.Object({ reason: Type.String() }).`);
  const what = `An action on "${name}": in the body, the field`;
  const closed = checkable(Type.Object(properties, { ...schema, additionalProperties: false }), what);
  const input = { ...inputSchema(closed), examples: [exampleOf(closed)] };
  return {
    options: jsonBody(input, "application/json") as ReadBody<Sent, Complete>["options"],
    complete: (sent) => withDefaults(closed, sent) as Complete,
  };
}
