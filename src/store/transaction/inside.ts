import { AsyncLocalStorage } from "node:async_hooks";

/** The running function of a transaction. */
interface Running {
  readonly isRunning: boolean;
}

const around = new AsyncLocalStorage<Running>();

/** Runs the function of a transaction, so that {@link refuseInTransaction} knows of it. */
export function runInside<T>(running: Running, work: () => T): T {
  return around.run(running, work);
}

/**
 * Throws if the caller is the function of a running transaction. What it asks for would be committed apart from the transaction, and
 * again at each of its tries.
 *
 * @param what the thing that the caller asks for: "A transaction".
 * @param instead the advice in the error: "use the outer one".
 */
export function refuseInTransaction(what: string, instead: string): void {
  if (!around.getStore()?.isRunning) return;
  throw new Error(`${what} inside of a transaction would not be part of it; ${instead}.`);
}
