import type { LogReader } from "../store/log";
import { now, steadyNow } from "../timing/clock";

/** Events that RabbitMQ has not confirmed yet. */
export interface Backlog {
  readonly events: number;
  /** Age of the oldest unconfirmed event, in seconds; 0 if there is none. */
  readonly ageSeconds: number;
}

/** Age, in seconds, from which a backlog needs attention. The alert `WarrenRelayBacklogOld` has the same bound. */
export const oldBacklogSeconds = 60;

/**
 * Returns the events after a position and the age of the oldest one.
 *
 * @param position Position up to which RabbitMQ has confirmed every event.
 */
export async function backlogOf(log: Pick<LogReader, "read" | "end">, position: number): Promise<Backlog> {
  const events = Math.max(0, (await log.end()) - position);
  const [oldest] = events > 0 ? await log.read(position, 1) : [];
  return { events, ageSeconds: oldest ? ageSeconds(oldest.timestamp) : 0 };
}

/**
 * Returns the age of a timestamp, in seconds and never negative. Tolerates a clock that was ahead when it was made, or was put back since.
 */
export function ageSeconds(timestamp: string): number {
  return Math.max(0, Math.max(now(), steadyNow()) - Date.parse(timestamp)) / 1000;
}
