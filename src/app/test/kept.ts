import type { DeadLetter, DeadLetters } from "../../delivery/dead-letters";
import { matchesTopic } from "../../schema/catalogue";
import type { Event } from "../../schema/event";
import type { LogReader } from "../../store/log";

const batch = 500;

/** Resolves with the events of the log whose types match a pattern, oldest first. */
export async function eventsIn(log: LogReader, pattern: string): Promise<Event[]> {
  const found: Event[] = [];
  for (let position = 0; ; ) {
    const entries = await log.read(position, batch);
    found.push(...entries.filter(({ type }) => matchesTopic(pattern, type)).map(({ body }) => JSON.parse(body) as Event));
    const last = entries.at(-1);
    if (!last || entries.length < batch) return found;
    position = last.position;
  }
}

/** Resolves with the dead letters of a queue, oldest first. */
export async function allDeadLetters(deadLetters: DeadLetters, queue: string): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: Awaited<ReturnType<DeadLetters["list"]>> = await deadLetters.list(queue, {}, after, batch);
    found.push(...page.deadLetters);
    after = page.next;
  }
  return found;
}
