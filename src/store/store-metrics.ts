import type { Metrics } from "../observe/metrics";
import type { Store } from "./store";

/** Registers the metrics of commits and of events appended to the log. */
export function describeStore(metrics: Metrics, { tally: { commits, appended } }: Pick<Store, "tally">): void {
  metrics.histogram({
    name: "warren_store_commit_duration_seconds",
    help: "Duration of a commit with its changes and the flush to disk, in seconds.",
    read: () => [[{}, commits.seconds]],
  });
  metrics.histogram({
    name: "warren_store_commit_changes",
    help: "Number of changes in a commit.",
    read: () => [[{}, commits.changes]],
  });
  metrics.counter({
    name: "warren_store_commit_failures_total",
    help: "Commits that failed, for example because the disk is full or the database is locked.",
    read: () => [[{}, commits.failures]],
  });
  metrics.counter({
    name: "warren_events_appended_total",
    help: "Events committed to the event log.",
    read: function* () {
      for (const [type, count] of appended) yield [{ type }, count];
    },
  });
}
