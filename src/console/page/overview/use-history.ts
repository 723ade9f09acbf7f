import { useEffect } from "preact/hooks";
import type { History } from "../answers";
import { useAnswer } from "../use-answer";

/** Seconds per point in each period of the chart. A shorter pause between questions would show nothing new. */
const renewEverySeconds = { "15m": 3, "1h": 12, "6h": 60 };

/** Returns what the chart shows, renewed while the page is visible and not paused. */
export function useHistory(range: keyof typeof renewEverySeconds, isPaused: boolean): History | undefined {
  const { data, reload } = useAnswer<History>(`/status/history?range=${range}`);
  useEffect(() => {
    if (isPaused) return;
    const timer = setInterval(() => !document.hidden && reload(), renewEverySeconds[range] * 1000);
    return () => clearInterval(timer);
  }, [range, isPaused, reload]);
  return data;
}
