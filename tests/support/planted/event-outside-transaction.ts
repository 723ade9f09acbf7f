// Adds each event to the log in a later commit than its change.
import { EventAppender } from "../../../src/store/changes/event-appender";
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

const { append } = EventAppender.prototype;
EventAppender.prototype.append = function (...event) {
  const commits = running;
  setTimeout(() => commits?.run(() => append.apply(this, event)), 20);
};
