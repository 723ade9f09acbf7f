import type { ReportedConsumer, Topology } from "../answers";
import { useRenewed } from "../use-answer";

/** Intervals of questions, in milliseconds. Consumers report every 5 seconds. */
const every = { reports: 5000, topology: 30_000 };

/** The running consumers, as they report. Empty until the first answer. */
export function useReports(): readonly ReportedConsumer[] {
  return useRenewed<{ readonly consumers: readonly ReportedConsumer[] }>("/consumers", every.reports).data?.consumers ?? [];
}

/** Which events each queue gets. Undefined until the first answer. */
export function useTopology(): Topology | undefined {
  return useRenewed<Topology>("/topology", every.topology).data;
}
