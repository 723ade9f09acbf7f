import { type ActingHistory, isUnder, type Logged, type Order } from "./history";

type Found = readonly [name: string, example: string];

/** The properties of an event that the checks need. */
type Event = Pick<Logged, "position" | "id" | "type" | "subject" | "at" | "cause" | "tag"> & { readonly order?: Pick<Order, "note"> };

type TimerHistory = Pick<ActingHistory, "waiting" | "jumps"> & { readonly log: readonly Event[] };

interface Waiting {
  readonly tag: string;
  readonly key: string | undefined;
  readonly order: number;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  /** The event with which it was set. */
  readonly setBy: Event;
}

/** Time in which the leader notices a timer at the latest, and publishes what was due with it, in milliseconds. */
const noticedMs = 5000;

/**
 * Plays the log: which timers each change has set, replaced and cancelled. Checks that each becomes one event, when its time has come, in
 * order of time; and none that was cancelled or replaced before, or whose order is gone.
 */
export function* timerViolations({ log, waiting: left, jumps }: TimerHistory): Generator<Found> {
  const waiting = new Map<string, Waiting>();
  const ended = new Map<string, string>();
  const notes = new Map<number, string>();
  const end = (why: string, which: (timer: Waiting) => boolean) => {
    for (const timer of [...waiting.values()].filter(which)) {
      waiting.delete(timer.tag);
      ended.set(timer.tag, why);
    }
  };
  for (const event of log) {
    const { type, subject, order, tag = "" } = event;
    if (type === "order.deleted") end("dropped with its order", (timer) => timer.order === subject);
    if (type === "order.updated" && order && order.note !== notes.get(subject)) {
      notes.set(subject, order.note);
      const [verb, name = "", key = "-", form, time] = order.note.split(" ");
      if (key !== "-") end(verb === "set" ? "replaced" : "cancelled", (timer) => timer.key === key);
      const dueAt = form === "at" ? Date.parse(time ?? "") : event.at + Number(time);
      if (verb === "set") waiting.set(name, { tag: name, key: key === "-" ? undefined : key, order: subject, dueAt, setBy: event });
    }
    if (type !== "order.reminded") continue;
    const timer = waiting.get(tag);
    const told = `the timer ${tag} of order ${subject} has become ${event.id}`;
    if (!timer) {
      const why = ended.get(tag);
      if (why === "published") yield ["timer-twice", `${told}, and an event before`];
      else yield ["timer-unexpected", `${told}, and was ${why ?? "never set"}`];
      continue;
    }
    if (event.at < timer.dueAt && !jumps.some((jump) => isUnder(event, jump)))
      yield ["timer-early", `${told} ${timer.dueAt - event.at} ms before its time`];
    if (event.cause !== timer.setBy.cause) yield ["wrong-cause", `${told}, caused by ${event.cause} and not ${timer.setBy.cause}`];
    const overtaken = [...waiting.values()].find((other) => isOvertaken(other, timer, event));
    if (overtaken)
      yield ["timer-out-of-order", `${told} before ${overtaken.tag}, which was due ${timer.dueAt - overtaken.dueAt} ms earlier`];
    end("published", (other) => other === timer);
  }
  for (const { tag, order } of waiting.values()) yield ["timer-lost", `the timer ${tag} of order ${order} has never become an event`];
  if (left > 0) yield ["timer-left", `${left} timers wait although the time of all has come`];

  /** A timer that was set only just now may be noticed after those that are due later. */
  function isOvertaken(other: Waiting, timer: Waiting, event: Event): boolean {
    const { at, position } = other.setBy;
    const isSameTime = jumps.every(({ from, to }) => to < position || from >= event.position);
    return other.dueAt < timer.dueAt && isSameTime && at + noticedMs < event.at;
  }
}
