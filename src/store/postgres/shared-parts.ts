import type { Store } from "../store";
import { joinProcesses, type ProcessesOptions } from "./leases/processes";
import { partitionProblem } from "./log/partitions";
import { pruner } from "./log/prune";
import { refusalsIn, savedRetryQueues, subscriptionsIn } from "./relay/queue-tables";
import { relayPosition } from "./relay/relay-position";
import { savedRelayTrouble } from "./relay/relay-trouble";
import { replaysIn } from "./relay/replay-rows";

type Parts =
  | ("lead" | "onAppend" | "isReplaced" | "peers" | "problems" | "prune")
  | ("relayed" | "relayTrouble" | "subscriptions" | "retryQueues" | "refusals" | "replays");

/** Returns what the processes of a schema share beside records and events, as parts of the store. */
export function sharedParts(options: ProcessesOptions): {
  readonly parts: Pick<Store, Parts>;
  /** Call it after each commit of this process that added events. */
  readonly committed: () => void;
  /** Call it before the database is closed. */
  readonly close: () => Promise<void>;
} {
  const { logId, partitionWidth } = options;
  // Not the connection of commits, which pruning would delay.
  const database = { ...options.database, writer: options.database.line("tables") };
  const { committed, close, ...processes } = joinProcesses({ ...options, database });
  return {
    parts: {
      ...processes,
      async problems() {
        const problem = await partitionProblem(database, partitionWidth);
        return problem === undefined ? [] : [problem];
      },
      prune: pruner(database),
      relayed: relayPosition(database),
      relayTrouble: savedRelayTrouble(database),
      subscriptions: subscriptionsIn(database),
      retryQueues: savedRetryQueues(database),
      refusals: refusalsIn(database),
      replays: replaysIn(database, logId),
    },
    committed,
    close,
  };
}
