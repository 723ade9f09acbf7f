import { type Log, messageOf } from "../observe/logging";
import type { Store } from "./store";

const lookEveryMs = 30_000;

/** Logs each problem of the store once, until it is gone. Returns a function that stops the checks. */
export function warnOfProblems(store: Pick<Store, "problems">, log: Log): () => void {
  let known: readonly string[] = [];
  const look = async () => {
    const problems = await store.problems();
    for (const problem of problems) if (!known.includes(problem)) log.warn(problem);
    known = problems;
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => log.debug({ error: messageOf(error) }, "Cannot look for problems of the store"));
  }, lookEveryMs);
  return () => clearInterval(timer);
}
