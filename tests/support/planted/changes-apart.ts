// On PostgreSQL, what handlers change is committed before their transaction, and nothing remembers that. Dies in between at the event DIE_AFTER.
import type { ChangingRun } from "../../../src/delivery/handler-changes";
import { JoinedChanges } from "../../../src/delivery/joined-changes";
import type { Plan } from "../../../src/store/transaction/engine";

let waiting: { readonly run: ChangingRun; readonly plan: Plan }[] = [];
let left = Number(process.env["DIE_AFTER"]);

JoinedChanges.prototype.add = (run, plan) => {
  waiting.push({ run: run as ChangingRun, plan });
};
JoinedChanges.prototype.endAt = async () => {
  const made = waiting;
  waiting = [];
  for (const { run, plan } of made) {
    const { once, ...context } = plan.context;
    await run.means.engine.commit({ ...plan, context });
    left -= 1;
    if (left === 0) process.kill(process.pid, "SIGKILL");
  }
};
