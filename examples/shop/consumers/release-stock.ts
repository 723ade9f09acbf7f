import { runConsumer } from "warren/consumer";
import { order } from "../src/domain/order";
import { product } from "../src/domain/product";

await runConsumer({
  queue: "release-stock",
  events: ["order.expired"],
  async handle({ order: { id, lines } }, { change }) {
    const { state } = await change.read(order, id);
    if (state !== "open") return;
    for (const line of lines) await change.update(product, line.product, ({ stock }) => ({ stock: stock + line.quantity }));
    await change.update(order, id, { reserved: false, cancelled: true });
  },
});
