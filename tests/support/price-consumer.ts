// A consumer whose handlers set the price of each new item, and note it in a table of their own. tests/deep/real-api-url.deep.ts runs it.
import { runConsumer } from "warren/consumer";
import { item } from "../../src/domain/item";

await runConsumer({
  queue: "prices",
  events: ["item.created"],
  exactlyOnce: true,
  setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS prices (item INTEGER, price REAL)"),
  async handle({ item: { id } }, { change, tx }) {
    const { price } = await change.read(item, id);
    await tx.run("INSERT INTO prices VALUES (?, ?)", id, (price ?? 0) + 1);
    await change.update(item, id, { price: (price ?? 0) + 1 });
  },
});
