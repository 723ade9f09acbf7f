// Preloaded: the process dies with kill -9 before or after a step, the DIES_ON-th of its life. Steps are the commits of an API, and the
// ends of a consumer's handlers, each with its changes.
import { ChangingRun } from "../../src/delivery/handler-changes";
import { GroupCommit as PostgresCommit } from "../../src/store/postgres/commit/group-commit";
import { GroupCommit as SqliteCommit } from "../../src/store/sqlite/commit/group-commit";

const [moment, on] = [process.env["DIES"], Number(process.env["DIES_ON"])];
let steps = 0;

async function step<T>(work: () => Promise<T>): Promise<T> {
  steps += 1;
  const isLast = steps === on;
  if (isLast && moment === "before") die();
  const result = await work();
  if (isLast && moment === "after") die();
  return result;
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

if (Bun.main.endsWith("src/main.ts")) {
  for (const { prototype } of [SqliteCommit, PostgresCommit]) {
    const { run, runFirst } = prototype;
    prototype.run = function (...change: unknown[]) {
      return step(() => run.apply(this, change as never)) as never;
    };
    prototype.runFirst = function (...change: unknown[]) {
      return step(() => runFirst.apply(this, change as never)) as never;
    };
  }
} else {
  const { settle } = ChangingRun.prototype;
  ChangingRun.prototype.settle = function (result) {
    return step(() => settle.call(this, result));
  };
}
