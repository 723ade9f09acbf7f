import type { StoredTimers } from "../../changes/timer-changes";
import type { Workspace } from "./workspace";

/** Returns the timers as a group of changes reads and writes them. One that a change asks for is assumed to be there. */
export function storedTimers(workspace: Workspace): StoredTimers {
  const { overlay } = workspace;
  return {
    has(number) {
      const { timers, isExact } = workspace.facts;
      const name = String(number);
      if (!isExact) timers.suppose(name, true);
      return timers.read(name, number);
    },
    set: (timer) => overlay.write({ kind: "setTimer", timer }),
    cancel: (key) => overlay.write({ kind: "cancelTimer", key }),
    drop: (resource, subject) => overlay.write({ kind: "dropTimers", resource, subject }),
    take: (number) => overlay.write({ kind: "takeTimer", number }),
    hinder: (number, problem) => overlay.write({ kind: "hinderTimer", number, problem }),
  };
}
