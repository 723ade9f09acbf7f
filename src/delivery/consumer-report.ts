import { type Static, Type } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { type Distribution, waitSeconds, workSeconds } from "../observe/tally";
import { timestamp } from "../timing/clock";
import type { Watched } from "./running";
import type { LastError, TypeTally } from "./worker-tally";

/** Interval of the reports of a consumer, in milliseconds. */
export const reportEveryMs = 5000;

/** The stage in the last report of a consumer. */
export const stopped = "stopped";

const count = Type.Integer({ minimum: 0 });
const text = (maxLength: number) => Type.String({ maxLength });
/** Counts by range, of which the last one is above every bound. */
const counts = (bounds: readonly number[]) => Type.Array(count, { minItems: bounds.length + 1, maxItems: bounds.length + 1 });

/** Number of a subscriber's latest answers in a report. */
export const mostAnswers = 10;

/** The report on a webhook's subscriber, from the consumer of its subscription. */
const Webhook = Type.Object({
  /** Scheme and host of the URL. Its path may be secret. */
  url: text(300),
  /** The latest answers, oldest first. The status is null for none in time. */
  answers: Type.Array(Type.Object({ at: text(40), status: Type.Union([Type.Null(), Type.Integer()]), ms: count }), {
    maxItems: mostAnswers,
  }),
  /** Time of the first event that was not delivered after the answer 410 Gone. Null unless it is disabled. */
  disabledSince: Type.Union([Type.Null(), text(40)]),
});
export type WebhookReport = Static<typeof Webhook>;

const Report = Type.Object({
  /** Identifies the consumer of this process. */
  id: text(40),
  queue: text(200),
  host: text(255),
  pid: count,
  startedAt: text(40),
  at: text(40),
  stage: text(20),
  breaker: text(20),
  handled: count,
  duplicates: count,
  skipped: count,
  retried: count,
  deadLettered: count,
  /** Durations of the handler, by the bounds of `workSeconds`. */
  handler: counts(workSeconds),
  /** Times from the change until its event was handled, by the bounds of `waitSeconds`. */
  delay: counts(waitSeconds),
  lastError: Type.Union([Type.Null(), Type.Object({ at: text(40), event: Type.Union([Type.Null(), text(200)]), error: text(1000) })]),
  webhook: Type.Optional(Webhook),
});

/** A report of a consumer about itself. Counts are since its start. */
export type ConsumerReport = Static<typeof Report>;

/** Identity of a consumer in its reports. */
export type Reporter = Pick<ConsumerReport, "id" | "host" | "pid" | "startedAt">;

/** The sources of a report. */
export interface Reporting extends Pick<Watched, "worker" | "stage"> {
  /** For the consumer of a webhook's subscription: what it says about its subscriber. */
  readonly webhook?: (() => WebhookReport) | undefined;
}

/** Returns what a consumer says about itself now. */
export function reportOf(reporter: Reporter, { worker, stage, webhook }: Reporting): ConsumerReport {
  const { consumer, tally, breaker } = worker;
  const types = [...tally.types.values()];
  return {
    ...reporter,
    ...tally.counts,
    ...{ queue: consumer.queue, at: timestamp(), stage: stage(), breaker: breaker.state, lastError: shortened(tally.lastError) },
    handler: summed(types, ({ handlerSeconds }) => handlerSeconds, workSeconds),
    delay: summed(types, ({ delaySeconds }) => delaySeconds, waitSeconds),
    ...(webhook && { webhook: webhook() }),
  };
}

let check: TypeCheck<typeof Report> | undefined;

/** Returns the report in a text. Returns undefined if it has none that this version knows. */
export function parseReport(text: string): ConsumerReport | undefined {
  check ??= TypeCompiler.Compile(Report);
  try {
    const value: unknown = JSON.parse(text);
    return check.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function summed(types: readonly TypeTally[], pick: (tally: TypeTally) => Distribution, bounds: readonly number[]): number[] {
  const sums = new Array<number>(bounds.length + 1).fill(0);
  for (const type of types) for (const [place, count] of pick(type).counts.entries()) sums[place] = (sums[place] ?? 0) + count;
  return sums;
}

function shortened(last: LastError | null): ConsumerReport["lastError"] {
  return last && { ...last, error: last.error.slice(0, 500) };
}
