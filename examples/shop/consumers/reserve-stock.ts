import { runConsumer } from "warren/consumer";
import { order } from "../src/domain/order";
import { payment } from "../src/domain/payment";
import { product } from "../src/domain/product";

await runConsumer({
  queue: "reserve-stock",
  events: ["order.created"],
  concurrency: 16,
  async handle({ order: { id } }, { change }) {
    const { lines, reserved, cancelled } = await change.read(order, id);
    if (reserved || cancelled) return;
    for (const line of lines) {
      const { stock } = await change.read(product, line.product);
      if (stock < line.quantity) {
        const { paid, payment: made } = await change.undo().update(order, id, { cancelled: true });
        if (paid && made) await change.update(payment, made, { state: "refunding" });
        return;
      }
      await change.update(product, line.product, { stock: stock - line.quantity });
    }
    const { state } = await change.update(order, id, { reserved: true });
    if (state === "open") await change.later(order, id, "expired", { after: "30m", key: `expire:${id}` });
  },
});
