import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { scopes } from "../config/api-access";
import { actorOf, expiryOf } from "../http/actor";
import { defineRoute } from "../routing/route";
import { UtcTime } from "../schema/time";
import { isOperator } from "./operators";

const Whoami = Type.Object(
  {
    subject: Type.Union([Type.String(), Type.Null()], {
      description: "Who sends the request, as events name it. null: the API requires no token.",
    }),
    scopes: Type.Array(Type.String(), { description: "What the token allows. All scopes, if the API requires no token." }),
    operator: Type.Boolean({
      description: "Whether the request may see what concerns all tenants. Without tenants, every token may.",
    }),
    expiresAt: Type.Union([UtcTime("When the token expires."), Type.Null()], { description: "null: it does not expire." }),
  },
  { examples: [{ subject: "ada", scopes: ["read", "write"], operator: true, expiresAt: null }] },
);

/** Who sends the request, for a client that has only a token. */
export default defineRoute(({ catalogue }) => {
  const isOperating = isOperator(catalogue);
  return new Elysia().get(
    "",
    ({ request }) => {
      const actor = actorOf(request);
      const expiresAt = expiryOf(request);
      return {
        subject: actor?.subject ?? null,
        scopes: [...(actor?.scopes ?? scopes)],
        operator: isOperating(request),
        expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
      };
    },
    {
      response: { 200: Whoami },
      detail: { tags: ["status"], summary: "Show who sends the request", description: "Returns the subject and the scopes of the token." },
    },
  );
});
