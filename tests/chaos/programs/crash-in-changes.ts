// Loaded before a program's own modules: with CRASH_POINT and CRASH_AFTER=n, it dies with kill -9 when it comes to that point of a change
// for the n-th time.
import { ChangingRun, HandlerChanges } from "../../../src/delivery/handler-changes";
import type { Commits } from "../../../src/store/changes/commits";
import { IdempotencyKeys } from "../../../src/store/changes/idempotency-keys";
import { TimerChanges } from "../../../src/store/changes/timer-changes";
import { GroupCommit as PostgresCommits } from "../../../src/store/postgres/commit/group-commit";
import { GroupCommit as SqliteCommits } from "../../../src/store/sqlite/commit/group-commit";
import { ChangeAttempt } from "../../../src/store/transaction/changes";
import { beforeEachAck } from "../../support/dies-before-ack";
import type { ActingPoint } from "../acting/crash-points";
import { atCrashPoint } from "./crash";

const point = process.env["CRASH_POINT"] as ActingPoint | undefined;
/** Longest commit of a handler's changes, roughly, in milliseconds. */
const commitMs = 5;

const { begin } = HandlerChanges.prototype;
HandlerChanges.prototype.begin = function (...about) {
  if (point === "before-reading") atCrashPoint();
  return begin.apply(this, about);
};

const { update } = ChangeAttempt.prototype;
ChangeAttempt.prototype.update = function (...change: unknown[]) {
  if (point === "after-reading") atCrashPoint();
  return Reflect.apply(update, this, change) as never;
};

const { settle } = ChangingRun.prototype;
ChangingRun.prototype.settle = async function (result) {
  if (point === "before-commit") atCrashPoint();
  if (point === "during-commit") setTimeout(atCrashPoint, Math.random() * commitMs);
  const settled = await settle.call(this, result);
  if (point === "after-commit" && settled.kind === "handled") atCrashPoint();
  return settled;
};

if (point === "before-ack") beforeEachAck(atCrashPoint);

/** The subject of the running change. */
let about: "timer" | "tick" | undefined;
const { take } = TimerChanges.prototype;
TimerChanges.prototype.take = function (timer) {
  const isThere = take.call(this, timer);
  if (isThere) about = "timer";
  if (point === "before-timer" && isThere) atCrashPoint();
  return isThere;
};

const { answer } = IdempotencyKeys.prototype;
IdempotencyKeys.prototype.answer = function <Answer extends string | undefined>(...asked: Parameters<typeof answer<Answer>>) {
  const isTick = asked[0].key.startsWith("tick ");
  if (isTick) about = "tick";
  if (point === "before-tick" && isTick) atCrashPoint();
  return answer.call(this, ...asked) as Answer;
};

for (const commits of [SqliteCommits.prototype, PostgresCommits.prototype] as Commits[]) {
  const { run, runFirst } = commits;
  commits.run = async function <T>(change: () => T, ...options: []) {
    let was: typeof about;
    const noted = () => {
      about = undefined;
      const value = change();
      was = about;
      return value;
    };
    const value = await run.call(this, noted, ...options);
    if (was !== undefined && point === `after-${was}`) atCrashPoint();
    return value as T;
  };
  commits.runFirst = async function <T>(change: () => T, ...options: []) {
    if (point === "before-change") atCrashPoint();
    const value = await runFirst.call(this, change, ...options);
    if (point === "after-change") atCrashPoint();
    return value as T;
  };
}
