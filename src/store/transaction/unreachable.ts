import type { TransactionEngine } from "./engine";

const refuse = () => Promise.reject(new Error("This consumer is connected to no service whose resources it could change."));

/** An engine that refuses everything. */
export const unreachable: TransactionEngine = {
  newest: refuse,
  newestByKey: refuse,
  newestList: refuse,
  reserveId: refuse,
  commit: refuse,
  check: refuse,
  chain: refuse,
};
