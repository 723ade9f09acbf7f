// A process whose exactlyOnce handlers take places on a shelf, which it also notes in a table of its own. tests/deep/real-acting-once.deep.ts
// runs it.
import { runConsumer } from "warren/consumer";
import { provideResources } from "../../src/project/resources";
import { book, shelf } from "./shelves";

provideResources({ shelf, book });

await runConsumer({
  queue: "ledger",
  exactlyOnce: true,
  // Whoever is killed on an event may be killed on it again.
  maxDeaths: 1000,
  setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS ledger (book BIGINT, free BIGINT)"),
  async handle(event, { change, tx }) {
    const { type, book: created } = event as unknown as { readonly type: string; readonly book: { readonly id: number } };
    if (type !== "book.created") return;
    // Half of them change the same record, and half one of their own, so that several share a transaction on PostgreSQL.
    const isHot = created.id % 2 === 0;
    const { free } = isHot ? await change.read(shelf, 1) : { free: 0 };
    await tx.run("INSERT INTO ledger (book, free) VALUES (?, ?)", created.id, free);
    if (isHot) await change.update(shelf, 1, { free: free - 1 });
    await change.update(book, created.id, { state: "placed" });
    await change.later(book, created.id, "expired", { after: "1h", key: `expire:${created.id}` });
  },
  onReady: () => console.log("ready"),
});
