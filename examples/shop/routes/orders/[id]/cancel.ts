import { action, Conflict } from "warren/action";
import { order } from "../../../src/domain/order";
import { product } from "../../../src/domain/product";

export default action(order, {
  summary: "Cancel an order and give its stock back",
  async transaction(tx, { state, lines }) {
    if (state === "paid" || state === "cancelled") throw new Conflict(`The order is ${state}.`);
    if (state === "reserved") {
      for (const { product: id, quantity } of lines) {
        await tx.update(product, id, ({ stock }) => ({ stock: stock + quantity }), { asAdmin: true });
      }
    }
    return { state: "cancelled" };
  },
});
