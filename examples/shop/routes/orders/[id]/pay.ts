import { Type } from "@sinclair/typebox";
import { action, Conflict } from "warren/action";
import { order } from "../../../src/domain/order";
import { payment } from "../../../src/domain/payment";
import { product } from "../../../src/domain/product";

export default action(order, {
  summary: "Pay for an order",
  body: Type.Object({ card: Type.String({ minLength: 1, maxLength: 100 }) }),
  async transaction(tx, { id, state, lines, payment: earlier }, { card }) {
    if (state !== "open") throw new Conflict(`The order is ${state}.`);
    if (earlier) throw new Conflict("The order has a payment.");
    let cents = 0;
    for (const line of lines) cents += Math.round((await tx.read(product, line.product)).price * 100) * line.quantity;
    const requested = await tx.insert(payment, { order: id, card, cents, key: crypto.randomUUID() });
    return { payment: requested.id };
  },
});
