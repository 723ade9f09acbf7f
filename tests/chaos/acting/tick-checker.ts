import { type ActingHistory, isUnder, type Logged, queues } from "./history";

/** The properties of an event that the checks need. */
type Event = Pick<Logged, "position" | "id" | "at" | "actor" | "cause" | "dueAt">;

type TickHistory = Pick<ActingHistory, "jumps" | "lastTime"> & { readonly log: readonly Event[] };

type Found = readonly [name: string, example: string];

/**
 * Checks that each time of the schedule has one event, when it has come; that each event comes after the one before is done; and that the
 * schedule goes on until the end.
 */
export function* tickViolations({ log, jumps, lastTime }: TickHistory): Generator<Found> {
  const ticks = log.filter((event) => event.dueAt !== undefined);
  const changes = new Map(log.filter(({ actor }) => actor === `consumer:${queues.ticks}`).map(({ cause, position }) => [cause, position]));
  const seen = new Map<number, string>();
  let before: Event | undefined;
  for (const tick of ticks) {
    const { id, position, at, dueAt = 0 } = tick;
    const told = `the event ${id} of the schedule for ${new Date(dueAt).toISOString()}`;
    const other = seen.get(dueAt);
    if (other !== undefined) yield ["tick-twice", `${told} follows ${other}, which is for the same time`];
    if (at < dueAt && !jumps.some((jump) => isUnder(tick, jump))) yield ["tick-early", `${told} came ${dueAt - at} ms before it`];
    if (before && (changes.get(before.id) ?? 0) > position)
      yield ["tick-overlap", `${told} came before the one of ${before.id} was handled`];
    // After the clock was put back, times that were passed over have events.
    const isSameTime = jumps.every(({ from, to }) => to < (before?.position ?? 0) || from >= position);
    if (before?.dueAt !== undefined && isSameTime && dueAt < before.dueAt) yield ["tick-out-of-order", `${told} came after ${before.id}`];
    seen.set(dueAt, id);
    before = tick;
  }
  const last = Math.max(0, ...seen.keys());
  if (lastTime !== undefined && last < lastTime)
    yield [
      "tick-lost",
      `the last event of the schedule is for ${new Date(last).toISOString()}, and not ${new Date(lastTime).toISOString()}`,
    ];
}
