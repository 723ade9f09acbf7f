// Removes a timer in a later commit than the one with its event.
import { TimerChanges } from "../../../src/store/changes/timer-changes";
import { GroupCommit } from "../../../src/store/sqlite/commit/group-commit";

let running: GroupCommit | undefined;
const { run } = GroupCommit.prototype;
GroupCommit.prototype.run = function <T>(change: () => T) {
  const noted = () => {
    running = this;
    return change();
  };
  return run.call(this, noted) as Promise<T>;
};

/** A process knows what it has published, until it ends. */
const published = new WeakMap<TimerChanges, Set<number>>();
const { take } = TimerChanges.prototype;
TimerChanges.prototype.take = function (timer) {
  const { number } = timer;
  const own = published.get(this) ?? new Set();
  published.set(this, own);
  if (own.has(number)) return false;
  own.add(number);
  const [commits, { stored }] = [running, this];
  setTimeout(() => commits?.run(() => stored.take(number)), 20);
  return take.call(Object.create(this, { stored: { value: { ...stored, take() {} } } }), timer);
};
