import { readConfig } from "../config/config";
import type { ConsumerTables } from "../store/consumer/tables";
import { consumerStores } from "../store/open";

/**
 * Opens the tables that the consumer of a queue has written with `exactlyOnce`. Any process may read them, whether the
 * consumer runs or not. Resolves with undefined if the consumer has written nothing yet. Close the result after use.
 *
 * @throws {ConfigError} if the environment, which locates them, has invalid variables.
 */
export async function readTables(queue: string): Promise<ConsumerTables | undefined> {
  const stores = consumerStores(readConfig({ isTerminal: false, listens: false }));
  let tables: ConsumerTables | undefined;
  try {
    tables = await stores.tables(queue);
  } finally {
    if (!tables) await stores.close();
  }
  const opened = tables;
  return (
    opened && {
      ...opened,
      async close() {
        await opened.close();
        await stores.close();
      },
    }
  );
}
