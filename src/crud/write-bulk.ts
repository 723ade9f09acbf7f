import { problemInside } from "../http/problem";
import type { Resource } from "../schema/resource";
import { StoreUnavailable } from "../store/errors";
import type { ChangeContext, Once, Store } from "../store/store";
import type { Stored } from "../store/stored";
import { type BulkEntry, ndjson } from "./read-bulk";

/** Written in one commit at most, which holds up every other for some milliseconds. */
const partEntries = 500;
const partBytes = 1024 * 1024;

export interface BulkWrite<Fields> {
  readonly entries: readonly BulkEntry<Fields>[];
  readonly mediaType: string;
  readonly context: ChangeContext;
  /** Undefined: the request has no Idempotency-Key. */
  readonly once: ((part: number) => Once) | undefined;
  /** Told when the store fails after some parts are written: these stay, so that the bulk as a whole does not fail. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Creates the records of a bulk, part by part, and answers a line of JSON for each entry, in their order. A bulk that a
 * crash has cut short is finished by the same one again, if it has a key: the parts that are done answer as before.
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
      if (failed) answers.push(...outcomesOf(part.map(notWritten), "", unit));
      else if (fields.length === 0) answers.push(...outcomesOf(part, "", unit));
      else {
        try {
          const created = await inTurn(() => store.insertAll(resource, fields, answerOf, { ...context, once: once?.(written) }));
          answers.push(...outcomesOf(part, created, unit));
          written += 1;
        } catch (error) {
          // What is written stays, and has to be told.
          if (written === 0 || !(error instanceof StoreUnavailable)) throw error;
          failed = true;
          onFailure(error);
          answers.push(...outcomesOf(part.map(notWritten), "", unit));
        }
      }
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
 * The outcomes of the records that were created, as lines. With an Idempotency-Key these are kept, and nothing of the
 * others: what is wrong with them can be seen again, and would take many times what was sent.
 */
function createdOf(part: readonly BulkEntry<object>[], created: readonly Stored[], unit: string, name: string): string {
  const valid = part.filter(({ problem }) => !problem);
  return valid.map(({ place }, index) => `{"${unit}":${place},"status":201,"${name}":${created[index]?.json}}`).join("\n");
}

/** The outcome of every entry of a part, in their order. */
function outcomesOf(part: readonly BulkEntry<object>[], created: string, unit: string): string[] {
  const known = new Map(created.split("\n").map((line) => [Number(/\d+/.exec(line)?.[0]), line]));
  return part.map(({ place, problem = refusedBefore }) => {
    return known.get(place) ?? `{"${unit}":${place},"status":${problem.status},"problem":${JSON.stringify(problem)}}`;
  });
}

/** Of a record that would be created today, under a key whose first answer was another: the schema has changed since. */
const refusedBefore = problemInside(422, { detail: "It was not valid when this Idempotency-Key came for the first time." });

function notWritten<Fields>(entry: BulkEntry<Fields>): BulkEntry<Fields> {
  const { place, bytes, problem } = entry;
  return {
    place,
    bytes,
    problem: problem ?? problemInside(503, { detail: "The store cannot do this now; this record was not created. Try again." }),
  };
}

/** Runs one piece of work after another: many bulks at once hold up the others no longer than one does. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
