import type { Metrics } from "./metrics";
import { openFiles } from "./open-files";

/** Declares the process metrics that every Prometheus client library has. */
export function describeProcess(metrics: Metrics): void {
  const startedAt = Date.now() / 1000 - process.uptime();
  metrics.counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time of the process.",
    read: () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    },
  });
  metrics.gauge({ name: "process_start_time_seconds", help: "When the process was started, since 1970.", read: () => [[{}, startedAt]] });
  metrics.gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of the process that is in RAM.",
    read: () => [[{}, process.memoryUsage.rss()]],
  });
  metrics.gauge({
    name: "process_open_fds",
    help: "Open files and connections of the process; on Linux only.",
    read: () => {
      const open = openFiles();
      return open === undefined ? [] : [[{}, open]];
    },
  });
}
