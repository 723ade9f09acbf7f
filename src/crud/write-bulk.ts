import { problemInside } from "../http/problem";
import { problemOfRefused } from "../http/refused-change";
import type { RequestStore } from "../http/request-store";
import { BrokenHook } from "../schema/hook";
import type { Resource, ResourceTypes } from "../schema/resource";
import type { Once } from "../store/change-context";
import { StoreUnavailable } from "../store/errors";
import type { InsertOutcome } from "../store/store";
import { type BulkEntry, maxMistakesPerRecord, ndjson } from "./read-bulk";

/** Maximum number of records per transaction. A transaction delays all other writes. */
const partEntries = 500;
/** Maximum number of bytes per transaction. */
const partBytes = 1024 * 1024;

export interface BulkWrite<Fields> {
  readonly entries: readonly BulkEntry<Fields>[];
  readonly mediaType: string;
  readonly store: RequestStore;
  /** The idempotency key of the first part. Undefined if the request has no Idempotency-Key. */
  readonly once: Once | undefined;
  /** Logs a fault of the service. The request as a whole succeeds, so the client sees only which records failed. */
  readonly logged: (error: Error, what: string) => void;
}

/**
 * Returns a function that creates the records of a bulk, part by part. It resolves with one JSON text per entry, in order.
 * After a crash, a client with a key can repeat the request: parts already written return their first outcomes.
 */
export function bulkWriter<T extends ResourceTypes>(resource: Resource<T>) {
  const inTurn = turns();
  return async ({ entries, mediaType, store, once, logged }: BulkWrite<T["input"]>): Promise<string[]> => {
    const unit = mediaType === ndjson ? "line" : "index";
    const answers: string[] = [];
    let written = 0;
    let failed = false;
    for (const part of partsOf(entries)) {
      const fields = part.flatMap((entry) => (entry.problem ? [] : [entry.fields]));
      const answerOf = (outcomes: readonly InsertOutcome[]) => linesOf(part, outcomes, unit, resource.name, logged);
      let lines = "";
      if (!failed && fields.length > 0) {
        try {
          lines = await inTurn(() => store.insertEach(resource, fields, answerOf, { once: once && { ...once, part: written } }));
          written += 1;
        } catch (error) {
          // Earlier parts are written, so the client must learn of them.
          if (written === 0 || !(error instanceof StoreUnavailable)) throw error;
          failed = true;
          logged(error, "The store failed during a bulk request; its remaining records were refused");
        }
      }
      answers.push(...outcomesOf(failed ? part.map(notWritten) : part, lines, unit));
    }
    return answers;
  };
}

function* partsOf<Fields>(entries: readonly BulkEntry<Fields>[]): Generator<BulkEntry<Fields>[]> {
  let part: BulkEntry<Fields>[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (part.length === partEntries || (part.length > 0 && bytes + entry.bytes > partBytes)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(entry);
    bytes += entry.bytes;
  }
  if (part.length > 0) yield part;
}

/**
 * Returns the outcomes of the entries that were valid, as lines. With an Idempotency-Key, the store keeps these lines. It does not
 * keep the problems of the other entries: a new check finds them again, and they can be much longer than the request.
 */
function linesOf(
  part: readonly BulkEntry<object>[],
  outcomes: readonly InsertOutcome[],
  unit: string,
  name: string,
  logged: BulkWrite<object>["logged"],
): string {
  const broken = outcomes.find((outcome) => outcome instanceof BrokenHook);
  if (broken) logged(broken, "Records of a bulk request failed with an unexpected error");
  const valid = part.filter(({ problem }) => !problem);
  return valid.map(({ place }, index) => lineOf(`{"${unit}":${place}`, outcomes[index] as InsertOutcome, name)).join("\n");
}

function lineOf(start: string, outcome: InsertOutcome, name: string): string {
  if (!(outcome instanceof Error)) return `${start},"status":201,"${name}":${outcome.json}}`;
  const { status, ...content } = problemOfRefused(outcome, maxMistakesPerRecord);
  return `${start},"status":${status},"problem":${JSON.stringify(problemInside(status, content))}}`;
}

/** Returns the outcome of every entry of a part, in order. */
function outcomesOf(part: readonly BulkEntry<object>[], lines: string, unit: string): string[] {
  const known = new Map(lines.split("\n").map((line) => [Number(/\d+/.exec(line)?.[0]), line]));
  return part.map(({ place, problem = refusedBefore }) => {
    return known.get(place) ?? `{"${unit}":${place},"status":${problem.status},"problem":${JSON.stringify(problem)}}`;
  });
}

/** Problem of a record that is valid now, but was not when the key was first used. The schema has changed since then. */
const refusedBefore = problemInside(422, { detail: "The record was not valid in the first request with this Idempotency-Key." });

function notWritten<Fields>(entry: BulkEntry<Fields>): BulkEntry<Fields> {
  const { place, bytes, problem } = entry;
  return {
    place,
    bytes,
    problem: problem ?? problemInside(503, { detail: "The store is not available. This record was not created. Try again." }),
  };
}

/** Runs one task at a time, so that many concurrent bulks delay other requests no longer than one does. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
