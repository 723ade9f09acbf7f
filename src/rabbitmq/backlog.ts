import type { LogReader } from "../store/log";
import { steadyNow } from "../timing/steady-time";

/** What RabbitMQ has not confirmed yet. */
export interface Backlog {
  readonly events: number;
  /** Age of the oldest of them, in seconds; 0 if there is none. */
  readonly ageSeconds: number;
}

/** An older backlog needs somebody to look; the alert `WarrenRelayBacklogOld` has the same bound. */
export const oldBacklogSeconds = 60;

/** @param position up to which RabbitMQ has confirmed every event. */
export async function backlogOf(log: Pick<LogReader, "read" | "end">, position: number): Promise<Backlog> {
  const events = Math.max(0, (await log.end()) - position);
  const [oldest] = events > 0 ? await log.read(position, 1) : [];
  return { events, ageSeconds: oldest ? ageSeconds(oldest.timestamp) : 0 };
}

/** How old a time is; the clock that made it may be ahead of this one, and this one may have been put back. */
export function ageSeconds(timestamp: string): number {
  return Math.max(0, Math.max(Date.now(), steadyNow()) - Date.parse(timestamp)) / 1000;
}
