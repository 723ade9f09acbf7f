import { type Catalogue, UnknownEventType } from "../schema/catalogue";
import { parseTime } from "../schema/time";
import { ConsumerError } from "./consumer-error";
import { checkQueueName } from "./queue-name";
import type { ReplaySelection } from "./replay-selection";

/** The part of a replay that a user asks for, as the user writes it. */
export interface RequestedReplay {
  readonly queue: string;
  /** Event types, or patterns of them. */
  readonly events?: readonly string[] | undefined;
  readonly id?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly rate?: number | undefined;
  readonly force?: boolean | undefined;
}

export interface SelectionMistake {
  readonly field: "queue" | "events" | "from" | "to";
  readonly detail: string;
}

/** Thrown for a request with mistakes. */
export class InvalidSelection extends Error {
  override readonly name = "InvalidSelection";
  constructor(readonly mistakes: readonly [SelectionMistake, ...SelectionMistake[]]) {
    super(mistakes.map(({ detail }) => detail).join(" "));
  }
}

/**
 * Returns the events that a user asks for.
 *
 * @param zone time zone of a time that names none.
 * @throws {InvalidSelection} if the queue name, a pattern or a time is wrong.
 */
export function readSelection(request: RequestedReplay, catalogue: Pick<Catalogue, "select">, zone: "utc" | "local"): ReplaySelection {
  const mistakes: SelectionMistake[] = [];
  const attempt = <T>(field: SelectionMistake["field"], read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConsumerError || error instanceof UnknownEventType)) throw error;
      mistakes.push({ field, detail: error.message });
      return null;
    }
  };
  const { queue, events, id, rate, force } = request;
  attempt("queue", () => checkQueueName(queue));
  const types = events ? attempt("events", () => catalogue.select(events)) : null;
  const from = attempt("from", () => readTime(request.from, zone));
  const to = attempt("to", () => readTime(request.to, zone));
  if (from !== null && to !== null && from >= to) mistakes.push({ field: "to", detail: "Expected a time after `from`." });
  const [first, ...others] = mistakes;
  if (first) throw new InvalidSelection([first, ...others]);
  return { types, subject: id ?? null, from, to, rate: rate ?? null, force: force ?? false };
}

function readTime(text: string | undefined, zone: "utc" | "local"): string | null {
  if (text === undefined) return null;
  const time = parseTime(text, zone);
  if (!time) throw new ConsumerError("Expected a day such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z.");
  return time.toISOString();
}
