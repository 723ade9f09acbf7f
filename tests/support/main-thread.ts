import type { Browser, CDPSession } from "playwright-core";

/** Tasks of the main threads of all pages of a browser. */
export interface MainThreads {
  readonly tasks: number;
  /** CPU time of the longest task, in milliseconds. */
  readonly longestMs: number;
  /** Number of tasks above 50 ms of CPU time, which browsers call long. */
  readonly long: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** CPU time of the thread, in microseconds. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * Records the tasks of the main threads. Resolves with a function that ends the recording.
 *
 * It measures the CPU time of the thread. The browser's own long tasks (`PerformanceObserver`) are in wall time, which on a busy machine
 * includes the time in which other programs had the core.
 */
export async function recordMainThreads(browser: Browser): Promise<() => Promise<MainThreads>> {
  const session = await browser.newBrowserCDPSession();
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { recordMode: "recordUntilFull", includedCategories: ["toplevel"], excludedCategories: ["*"] },
  });
  return async () => {
    const events = await endOf(session);
    await session.detach();
    const named = events.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain");
    const mains = new Set(named.map(keyOf));
    const times = events.filter((event) => event.ph === "X" && mains.has(keyOf(event))).map(({ tdur = 0 }) => tdur / 1000);
    return {
      tasks: times.length,
      longestMs: times.reduce((most, one) => Math.max(most, one), 0),
      long: times.filter((one) => one > 50).length,
    };
  };
}

async function endOf(session: CDPSession): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  const ended = Promise.withResolvers<void>();
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  session.on("Tracing.tracingComplete", ({ dataLossOccurred }) =>
    dataLossOccurred ? ended.reject(new Error("The trace is incomplete.")) : ended.resolve(),
  );
  await session.send("Tracing.end");
  await ended.promise;
  return events;
}

function keyOf({ pid, tid }: TraceEvent): string {
  return `${pid} ${tid}`;
}

/** Returns the size of a page's live objects in bytes, and the number of its DOM nodes, after a collection of garbage. */
export async function memoryOf(session: CDPSession): Promise<{ heapBytes: number; nodes: number }> {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const { nodes } = await session.send("Memory.getDOMCounters");
  return { heapBytes: usedSize, nodes };
}
