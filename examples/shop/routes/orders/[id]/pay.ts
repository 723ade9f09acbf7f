import { Type } from "@sinclair/typebox";
import { action, Conflict } from "warren/action";
import { order } from "../../../src/domain/order";

export default action(order, {
  summary: "Pay for an order",
  body: Type.Object({ payment: Type.String({ minLength: 1 }) }),
  change({ state }) {
    if (state !== "reserved") throw new Conflict(`The order is ${state}.`);
    return { state: "paid" };
  },
  emit: { paid: ({ payment }) => ({ payment }) },
});
