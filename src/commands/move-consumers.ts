import { HandlerTransaction } from "../delivery/handler-transaction";
import { type LoadedConsumer, loadConsumers } from "../docs/find-consumers";
import { UsageError } from "../observe/command-line";
import { consumerFiles } from "../project/consumer-files";
import type { ConsumerMove, ConsumerMoveSource } from "../store/moving/consumer-move";
import { Trouble } from "./command";

interface Wishes {
  /** Queues whose handlers' tables stay where they are. */
  readonly leaveTables: readonly string[];
  /** As in {@link ConsumerMove}. */
  readonly replace: boolean;
}

/**
 * Resolves with how to move consumers: their handlers' tables are created by `setup`, so those with tables must be in this project.
 *
 * @throws {Trouble} if a consumer with tables is not.
 */
export async function planConsumers(sources: readonly ConsumerMoveSource[], { leaveTables, replace }: Wishes): Promise<ConsumerMove[]> {
  const unknown = leaveTables.find((queue) => !sources.some((source) => source.queue === queue));
  if (unknown !== undefined) throw new UsageError(`--leave-tables ${unknown}: there is no file of a consumer with this queue.`);
  const withTables = sources.filter((source) => hasRows(source) && !leaveTables.includes(source.queue));
  const loaded = withTables.length > 0 ? await loadConsumers(consumerFiles()) : [];
  const missing = withTables.filter(({ queue }) => setupOf(loaded, queue) === undefined);
  if (missing.length > 0) throw new Trouble(missing.map(adviceFor).join("\n"));
  return sources.map((source) => ({ source, replace, setup: withTables.includes(source) ? setupOf(loaded, source.queue) : undefined }));
}

function hasRows({ own }: ConsumerMoveSource): boolean {
  return own.some(({ rows }) => rows > 0);
}

function setupOf(loaded: readonly LoadedConsumer[], wanted: string): ConsumerMove["setup"] {
  const setup = loaded.find((consumer) => consumer.queue === wanted && consumer.setup !== undefined)?.setup;
  return (
    setup &&
    (async (transaction) => {
      const tx = new HandlerTransaction(transaction, "The setup");
      await setup(tx);
      tx.finish();
    })
  );
}

function adviceFor({ queue, own }: ConsumerMoveSource): string {
  const names = own.filter(({ rows }) => rows > 0).map(({ name }) => `"${name}"`);
  return (
    `The handlers of "${queue}" have tables of their own (${names.join(", ")}), and no file in consumers/ has a consumer of this queue whose ` +
    `\`setup\` creates them. Run the command in the project of the consumer, or leave these tables out: --leave-tables ${queue}`
  );
}
