import { action, Conflict } from "warren/action";
import { order } from "../../../src/domain/order";
import { product } from "../../../src/domain/product";

export default action(order, {
  summary: "Reserve the stock for an order",
  async transaction(tx, { state, lines }) {
    if (state !== "placed") throw new Conflict(`The order is ${state}.`);
    for (const { product: id, quantity } of lines) {
      const { title, stock } = await tx.read(product, id);
      if (stock < quantity) throw new Conflict(`The stock of "${title}" is ${stock}.`);
      await tx.update(product, id, { stock: stock - quantity }, { asAdmin: true });
    }
    return { state: "reserved" };
  },
});
