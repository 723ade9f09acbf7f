import type { Once } from "../change-context";
import type { Stored } from "../stored";
import { refuseInTransaction } from "../transaction/inside";
import type { Commits } from "./commits";
import type { IdempotencyKeys } from "./idempotency-keys";

export interface OnceIn {
  /** Runs a change that results in text, and if it has a key only once. */
  once<Text extends string | undefined>(once: Once | undefined, change: () => Text): Promise<string | Text>;
  /** Runs the change of a record, and if it has a key only once. */
  change<Result extends Stored | undefined>(once: Once | undefined, change: () => Result): Promise<Stored | Result>;
}

const apart = ["A change of the store", "make it with the transaction, such as tx.update(…)"] as const;

/** Returns the ways to run a change of a store. */
export function onceIn(commits: Commits, keys: IdempotencyKeys): OnceIn {
  const once: OnceIn["once"] = async (key, change) => {
    refuseInTransaction(...apart);
    return commits.run(() => (key ? keys.answer(key, change) : change()));
  };
  return {
    once,
    async change(key, change) {
      refuseInTransaction(...apart);
      if (!key) return commits.run(change);
      const json = await once(key, () => change()?.json);
      if (json === undefined) return undefined as ReturnType<typeof change>;
      const { id, version } = JSON.parse(json) as Stored;
      return { id, version, json };
    },
  };
}
