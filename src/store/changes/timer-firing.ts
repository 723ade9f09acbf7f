import { thrownText } from "../../schema/hook";
import { RefusedChange } from "../../schema/refused-change";
import type { Resource } from "../../schema/resource";
import type { Timer, Timers } from "../timers";
import type { Commits } from "./commits";
import type { EventAppender } from "./event-appender";
import type { RecordChanges } from "./record-changes";
import type { TimerChanges } from "./timer-changes";

interface FiringMeans {
  readonly commits: Commits;
  readonly resources: readonly Resource[];
  readonly records: RecordChanges;
  readonly events: EventAppender;
  readonly timers: TimerChanges;
  /** Returns the time of a change, in ISO 8601. */
  readonly now: () => string;
}

/** Returns the functions that turn timers into events, and remove them. */
export function firing({ commits, resources, records, events, timers, now }: FiringMeans): Pick<Timers, "fire" | "cancel"> {
  function publish({ resource: name, subject, event, cause, depth, actor, traceparent, ...timer }: Timer): boolean {
    const resource = resources.find((one) => one.name === name);
    if (!resource) throw new TypeError(`This program has no resource "${name}".`);
    const data = newestData(resource, { event, ...timer });
    const record = records.of(resource).get(subject);
    if (!record) return false;
    const by = actor === null ? undefined : { subject: actor, scopes: [] };
    const why = cause === null ? undefined : { id: cause, depth };
    events.append(resource, null, record, now(), { emit: { [event]: data }, actor: by, cause: why, traceparent: traceparent ?? undefined });
    return true;
  }

  /** Runs in a change of its own, so that a timer that cannot become an event does not keep the others from it. */
  async function fireOne(timer: Timer): Promise<boolean> {
    try {
      return await commits.run(() => timers.take(timer) && publish(timer));
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RefusedChange)) throw error;
      if (timer.problem !== error.message) await commits.run(() => timers.stored.hinder(timer.number, error.message));
      return false;
    }
  }

  return {
    async fire(due) {
      const fired = await Promise.all(due.map(fireOne));
      return fired.filter(Boolean).length;
    },
    cancel: (number) =>
      commits.run(() => {
        const isThere = timers.stored.has(number);
        if (isThere) timers.stored.take(number);
        return isThere;
      }),
  };
}

/** Returns the data of a timer in the newest version of its event. */
function newestData({ past }: Resource, { event, version, data }: Pick<Timer, "event" | "version" | "data">): object {
  const steps = past.filter((step) => step.event === undefined || step.event === event).slice(version - 1);
  try {
    let value = JSON.parse(data) as Record<string, unknown>;
    for (const step of steps) if (step.event !== undefined) value = { ...step.up(value) };
    return value;
  } catch (error) {
    throw new TypeError(`The data of the event ${event} could not be converted from version ${version}: ${thrownText(error)}`, {
      cause: error,
    });
  }
}
