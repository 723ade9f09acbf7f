// An API killed with kill -9 between a commit and its response. The test runs this file instead of src/main.ts.
// DIES_AFTER=n: after the commit of the n-th change with an Idempotency-Key.

import { IdempotencyKeys } from "../../src/store/changes/idempotency-keys";
import { GroupCommit } from "../../src/store/sqlite/commit/group-commit";

const last = Number(process.env["DIES_AFTER"]);
let keyed = 0;

const { answer } = IdempotencyKeys.prototype;
IdempotencyKeys.prototype.answer = function (...once) {
  keyed += 1;
  return answer.apply(this, once) as never;
};
const { run } = GroupCommit.prototype;
GroupCommit.prototype.run = async function <T>(this: GroupCommit, change: () => T): Promise<T> {
  const result = (await run.call(this, change)) as T;
  if (keyed === last) process.kill(process.pid, "SIGKILL");
  return result;
};

await import("../../src/main");
