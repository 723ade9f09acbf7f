// Loaded before a consumer: it dies with kill -9 when it comes to the step DIE_AT of what a handler changes for the DIE_AFTER-th time.
import { ChangesLink } from "../../src/changing/link";
import { ChangingRun, HandlerChanges } from "../../src/delivery/handler-changes";
import { PostgresEnding } from "../../src/store/postgres/commit/endings";

const { DIE_AT: step, DIE_AFTER: after } = process.env;
let left = Number(after);

function at(name: string): void {
  if (name !== step) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, "SIGKILL");
}

const { begin } = HandlerChanges.prototype;
HandlerChanges.prototype.begin = function (...about) {
  at("begun");
  return begin.apply(this, about);
};
const { settle } = ChangingRun.prototype;
ChangingRun.prototype.settle = function (...result) {
  at("handled");
  return settle.apply(this, result);
};

// On PostgreSQL, one transaction.
const { prepare, send, confirm } = PostgresEnding.prototype;
PostgresEnding.prototype.prepare = async function () {
  await prepare.call(this);
  at("prepared");
};
PostgresEnding.prototype.send = async function (queries) {
  await send.call(this, queries);
  at("sending");
  // By then, the commit and the COMMIT are on their way.
  setImmediate(() => at("sent"));
};
PostgresEnding.prototype.confirm = function () {
  at("committed");
  confirm.call(this);
};

// On SQLite, the API commits first.
const { commit } = ChangesLink.prototype;
ChangesLink.prototype.commit = async function (plan) {
  setImmediate(() => setImmediate(() => at("changing")));
  const committed = await commit.call(this, plan);
  at("changed");
  return committed;
};
