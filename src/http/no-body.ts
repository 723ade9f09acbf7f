import type { TUnsafe } from "@sinclair/typebox";
import { invalid } from "./mistakes";
import { refuseQuery } from "./query";

/**
 * Returns the options of a route that accepts neither a body nor a query. Either is refused with a 422 problem, since a client that
 * sends one expects it to have an effect.
 *
 * @typeParam Body the type of the absent body, for a route that has one under other conditions.
 */
export function noBody<Body = undefined>() {
  return {
    // For the client's types. The documentation shows no body.
    body: undefined as unknown as TUnsafe<Body>,
    parse: "none" as const,
    transform: async ({ request }: { request: Request }): Promise<void> => {
      refuseQuery({ request });
      for await (const chunk of request.body ?? [])
        if (chunk.length > 0) throw invalid("body", [{ pointer: "", detail: "Expected no body" }]);
    },
  };
}
