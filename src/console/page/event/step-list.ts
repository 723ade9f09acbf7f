import type { Timeline } from "../answers";

export interface Step {
  readonly at: number;
  readonly where: string;
  readonly what: string;
  /** Shown behind it: an id, or an error. */
  readonly more: string;
  readonly isLast: boolean;
}

/** Returns what is known to have happened, in the order of time. */
export function stepsOf({ request, committedAt, broker, consumers }: Timeline): Step[] {
  const step = (time: string | null, where: string, what: string, more = "", isLast = false): Step[] =>
    time === null ? [] : [{ at: Date.parse(time), where, what, more, isLast }];
  const steps = [
    ...step(request.at, "API", "Request arrived", request.id ?? ""),
    ...step(committedAt, "API", "Committed"),
    ...step(broker.confirmedBy, "RabbitMQ", "Confirmed, by then at the latest"),
    ...consumers.flatMap(({ queue, state, at, attempts }) => [
      ...attempts.flatMap(({ attempt, at: time, outcome, error, reason }) => {
        if (outcome === "handled") return step(time, queue, attempt === 1 ? "Handled" : `Attempt ${attempt}: handled`);
        const dead = outcome === "dead-letter" ? ": dead letter" : "";
        return step(
          time,
          queue,
          `Attempt ${attempt} failed${dead}`,
          [reason, error].filter(Boolean).join(" · "),
          outcome === "dead-letter",
        );
      }),
      ...(attempts.length === 0 && state === "handled" ? step(at, queue, "Handled") : []),
      ...(attempts.length === 0 && state === "dead-letter" ? step(at, queue, "Dead letter", "", true) : []),
    ]),
  ];
  return steps
    .map((one, index) => ({ one, index }))
    .sort((a, b) => a.one.at - b.one.at || a.index - b.index)
    .map(({ one }) => one);
}
