import { join } from "node:path";
import { readConfig } from "../config/config";
import { type ConsumerTables, openConsumerTables } from "../store/consumer/own-tables";

/**
 * What the consumer of a queue has written with `exactlyOnce`, to be read by any other process while it runs or not.
 * Undefined: it has written nothing yet. Close it after use.
 *
 * @throws {ConfigError} when the environment, which tells where the file is, has mistakes.
 */
export function readTables(queue: string): ConsumerTables | undefined {
  const { dataDir } = readConfig({ isTerminal: false, listens: false });
  return openConsumerTables(join(dataDir, "consumers", `${queue}.db`));
}
