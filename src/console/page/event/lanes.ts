import type { ConsumerTimeline, Timeline } from "../answers";
import { duration } from "../words";

/** A point of a lane, in milliseconds after the start of the timeline. */
export interface Point {
  readonly ms: number;
  readonly kind: "begun" | "done" | "failed" | "dead" | "due";
  readonly label: string;
}

/** One line of a timeline: the API, RabbitMQ or a consumer. */
export interface Lane {
  readonly name: string;
  readonly about: string;
  /** Where the lane begins. Undefined if that is not known: it then has points only. */
  readonly fromMs: number | undefined;
  readonly points: readonly Point[];
  readonly state: string;
  readonly tone: "good" | "warn" | "bad" | "idle";
  /** When the state was reached, or why that is not known. */
  readonly end: string;
  /** Queue whose dead letters have the event. */
  readonly deadIn?: string;
}

export interface Lanes {
  readonly lanes: readonly Lane[];
  /** The time of 0 on the axis. */
  readonly start: number;
  readonly longestMs: number;
}

/** Returns the lanes of an event. They show only what is known. */
export function lanesOf(timeline: Timeline): Lanes {
  const { request, committedAt, broker, transport, consumers } = timeline;
  const start = Date.parse(request.at ?? committedAt);
  const after = (time: string | null) => (time === null ? undefined : Math.max(0, Date.parse(time) - start));
  const committed = after(committedAt) ?? 0;
  const confirmed = after(broker.confirmedBy);
  const api: Lane = {
    name: "API",
    about: request.at === null ? "commit" : "request and commit",
    fromMs: request.at === null ? undefined : 0,
    points: [...(request.at === null ? [] : [{ ms: 0, kind: "begun" as const, label: "" }]), { ms: committed, kind: "done", label: "" }],
    state: "committed",
    tone: "good",
    end: request.at === null ? "" : committed === 0 ? "within 1 ms" : `after ${duration(committed)}`,
  };
  const rabbit: Lane = {
    name: "RabbitMQ",
    about: "confirm",
    fromMs: committed,
    points: confirmed === undefined ? [] : [{ ms: confirmed, kind: "done", label: "" }],
    state: broker.state === "pending" ? "not confirmed yet" : broker.state,
    tone: broker.state === "confirmed" ? "good" : "warn",
    end: confirmed === undefined ? (broker.state === "confirmed" ? "no time kept" : "") : `by ${duration(confirmed)}`,
  };
  const hasBroker = transport === "rabbitmq" || broker.state !== "none";
  const lanes = [api, ...(hasBroker ? [rabbit] : []), ...consumers.map((one) => consumerLane(one, confirmed ?? committed, after))];
  const longestMs = Math.max(10, ...lanes.flatMap(({ points }) => points.map(({ ms }) => ms)));
  return { lanes, start, longestMs };
}

const tones = { handled: "good", waiting: "idle", retrying: "warn", "dead-letter": "bad", skipped: "idle", unknown: "idle" } as const;
const states = {
  handled: "handled",
  waiting: "waiting",
  retrying: "to be retried",
  "dead-letter": "dead letter",
  skipped: "skipped",
  unknown: "not known",
};

function consumerLane(consumer: ConsumerTimeline, from: number, after: (time: string | null) => number | undefined): Lane {
  const { queue, state, at, note, attempts } = consumer;
  const points: Point[] = attempts.flatMap(({ attempt, at: time, outcome }) => {
    const ms = after(time);
    const kind = outcome === "handled" ? "done" : outcome === "dead-letter" ? "dead" : "failed";
    return ms === undefined ? [] : [{ ms, kind, label: String(attempt) } as const];
  });
  const reached = after(at);
  if (points.length === 0 && reached !== undefined && (state === "handled" || state === "dead-letter")) {
    points.push({ ms: reached, kind: state === "handled" ? "done" : "dead", label: "" });
  }
  const due = state === "retrying" ? after(attempts.at(-1)?.nextAt ?? null) : undefined;
  if (due !== undefined) points.push({ ms: due, kind: "due", label: "" });
  return {
    name: queue,
    about: attempts.length > 0 ? `${attempts.length} attempt${attempts.length === 1 ? "" : "s"}` : (note ?? ""),
    fromMs: points.length > 0 ? Math.min(from, points[0]?.ms ?? from) : undefined,
    points,
    state: states[state],
    tone: tones[state],
    end: endOf(consumer, reached),
    ...(state === "dead-letter" && { deadIn: queue }),
  };
}

function endOf({ state, attempts }: ConsumerTimeline, reached: number | undefined): string {
  if (state === "retrying") {
    const next = attempts.at(-1)?.nextAt;
    return next ? `next attempt ${new Date(next).toLocaleTimeString("en-GB")}` : "";
  }
  if (reached !== undefined && (state === "handled" || state === "dead-letter")) return `after ${duration(reached)}`;
  return state === "handled" ? "no time kept" : "";
}
