import { Type } from "@sinclair/typebox";
import { action } from "warren/action";
import { order } from "../../../src/domain/order";

const optional = Type.Optional(Type.String({ minLength: 1 }));

export default action(order, {
  summary: "Remind of an order later",
  body: Type.Object({
    tag: Type.String({ minLength: 1 }),
    key: optional,
    at: optional,
    after: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
  change: (_, { tag, key = "-", at, after }) => ({ note: `set ${tag} ${key} ${at === undefined ? `after ${after}` : `at ${at}`}` }),
  later: {
    reminded: ({ body: { tag, key, at, after = 0 } }) => ({
      ...(at === undefined ? { after } : { at }),
      data: { tag },
      ...(key !== undefined && { key }),
    }),
  },
});
