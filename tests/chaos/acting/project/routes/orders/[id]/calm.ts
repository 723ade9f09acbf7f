import { Type } from "@sinclair/typebox";
import { action } from "warren/action";
import { order } from "../../../src/domain/order";

export default action(order, {
  summary: "Remind of an order no more",
  body: Type.Object({ tag: Type.String({ minLength: 1 }), key: Type.String({ minLength: 1 }) }),
  change: (_, { tag, key }) => ({ note: `cancel ${tag} ${key}` }),
  cancel: ({ body: { key } }) => [key],
});
