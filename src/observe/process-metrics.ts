import type { Metrics } from "./metrics";
import { openFiles } from "./open-files";

/** Declares the process metrics that every Prometheus client library has. */
export function describeProcess(metrics: Metrics): void {
  const startedAt = Date.now() / 1000 - process.uptime();
  metrics.counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time of the process, in seconds.",
    read: () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    },
  });
  metrics.gauge({
    name: "process_start_time_seconds",
    help: "Start time of the process, in seconds since the Unix epoch.",
    read: () => [[{}, startedAt]],
  });
  metrics.gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process, in bytes.",
    read: () => [[{}, process.memoryUsage.rss()]],
  });
  metrics.gauge({
    name: "process_open_fds",
    help: "Number of open file descriptors of the process. Linux only.",
    read: () => {
      const open = openFiles();
      return open === undefined ? [] : [[{}, open]];
    },
  });
}
