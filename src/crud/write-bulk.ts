import { problemInside } from "../http/problem";
import type { Resource } from "../schema/resource";
import { StoreUnavailable } from "../store/errors";
import type { ChangeContext, Once, Store } from "../store/store";
import type { Stored } from "../store/stored";
import { type BulkEntry, ndjson } from "./read-bulk";

/** Maximum number of records per transaction. A transaction delays all other writes. */
const partEntries = 500;
/** Maximum number of bytes per transaction. */
const partBytes = 1024 * 1024;

export interface BulkWrite<Fields> {
  readonly entries: readonly BulkEntry<Fields>[];
  readonly mediaType: string;
  readonly context: ChangeContext;
  /** Returns the idempotency key of a part. Undefined if the request has no Idempotency-Key. */
  readonly once: ((part: number) => Once) | undefined;
  /** Called if the store fails after some parts are written. Those parts remain, so the request as a whole succeeds. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Returns a function that creates the records of a bulk, part by part. It resolves with one JSON text per entry, in order.
 * After a crash, a client with a key can repeat the request: parts already written return their first outcomes.
 */
export function bulkWriter<Fields extends object>(resource: Resource<string, string, Fields>, store: Store) {
  const inTurn = turns();
  return async ({ entries, mediaType, context, once, onFailure }: BulkWrite<Fields>): Promise<string[]> => {
    const unit = mediaType === ndjson ? "line" : "index";
    const answers: string[] = [];
    let written = 0;
    let failed = false;
    for (const part of partsOf(entries)) {
      const fields = part.flatMap((entry) => (entry.problem ? [] : [entry.fields]));
      const answerOf = (created: readonly Stored[]) => createdOf(part, created, unit, resource.name);
      let created = "";
      if (!failed && fields.length > 0) {
        try {
          created = await inTurn(() => store.insertAll(resource, fields, answerOf, { ...context, once: once?.(written) }));
          written += 1;
        } catch (error) {
          // Earlier parts are written, so the client must learn of them.
          if (written === 0 || !(error instanceof StoreUnavailable)) throw error;
          failed = true;
          onFailure(error);
        }
      }
      answers.push(...outcomesOf(failed ? part.map(notWritten) : part, created, unit));
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
 * Returns the outcomes of the created records as lines. With an Idempotency-Key, the store keeps these lines. It does not
 * keep the problems of other records: a new check finds them again, and they can be much longer than the request.
 */
function createdOf(part: readonly BulkEntry<object>[], created: readonly Stored[], unit: string, name: string): string {
  const valid = part.filter(({ problem }) => !problem);
  return valid.map(({ place }, index) => `{"${unit}":${place},"status":201,"${name}":${created[index]?.json}}`).join("\n");
}

/** Returns the outcome of every entry of a part, in order. */
function outcomesOf(part: readonly BulkEntry<object>[], created: string, unit: string): string[] {
  const known = new Map(created.split("\n").map((line) => [Number(/\d+/.exec(line)?.[0]), line]));
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
