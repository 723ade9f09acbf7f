import type { ReportedConsumer } from "../answers";

/** The work of all consumers of one queue together. */
export interface QueueWork {
  readonly processes: readonly ReportedConsumer[];
  /** Null if none has reported. */
  readonly handledPerSecond: number | null;
  /** Of the slowest process, in seconds. Null if none has handled anything. */
  readonly handlerP99: number | null;
}

export function workOf(queue: string, consumers: readonly ReportedConsumer[]): QueueWork {
  const processes = consumers.filter((one) => one.queue === queue);
  const slowest = Math.max(...processes.map(({ handler }) => handler?.p99 ?? -1));
  return {
    processes,
    handledPerSecond: processes.length === 0 ? null : processes.reduce((total, one) => total + one.handledPerSecond, 0),
    handlerP99: slowest < 0 ? null : slowest,
  };
}
