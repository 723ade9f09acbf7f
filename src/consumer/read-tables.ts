import { join } from "node:path";
import { readConfig } from "../config/config";
import { consumersFolder } from "../store/consumer/files";
import { type ConsumerTables, openConsumerTables } from "../store/consumer/own-tables";

/**
 * Opens the tables that the consumer of a queue has written with `exactlyOnce`. Any process may read them, whether the
 * consumer runs or not. Returns undefined if the consumer has written nothing yet. Close the result after use.
 *
 * @throws {ConfigError} if the environment, which locates the file, has invalid variables.
 */
export function readTables(queue: string): ConsumerTables | undefined {
  const { dataDir } = readConfig({ isTerminal: false, listens: false });
  return openConsumerTables(join(consumersFolder(dataDir), `${queue}.db`));
}
