import type { Resource } from "../../schema/resource";
import { StoreUnavailable } from "../errors";
import type { ConsumerMove } from "./consumer-move";
import type { MoveSource } from "./move-source";
import { beforeAll, type MoveTarget } from "./move-target";
import { type BulkTable, bulkColumns, type MovedRow, nameOf } from "./moved-tables";

/** The current step of a move, and how far it is. */
export interface MoveProgress {
  readonly step: MoveStep;
  readonly table: string;
  /** Number of rows of the step that are done, of all tables. */
  readonly rows: number;
  /** Number of rows of the step. */
  readonly of: number;
}

export type MoveStep = "copying" | "comparing" | "reading";

export interface MoveOptions {
  /** The data of consumers. Default: none. */
  readonly consumers?: readonly ConsumerMove[];
  readonly onProgress: (progress: MoveProgress) => void;
  readonly stop: AbortSignal;
}

/** A move was stopped. The next one goes on. */
export class MoveStopped extends Error {
  override readonly name = "MoveStopped";
}

/** A row that cannot move. */
export interface Misfit {
  readonly table: string;
  readonly key: number;
  readonly why: string;
}

/** Maximum number of rows that cannot move to find. */
const mostMisfits = 20;

/**
 * Copies a store to another engine, compares all, and makes it valid there. After an interruption at any point, the next call goes on.
 *
 * @throws {MoveStopped} if `stop` aborts.
 * @throws {Error} if a row cannot move, another process has taken over, or the target differs from the source.
 */
export async function move(source: MoveSource, target: MoveTarget, resources: readonly Resource[], options: MoveOptions): Promise<void> {
  await target.begin(source, resources);
  await copyAll(source, target, new Report("copying", source, options));
  await compareAll(source, target, new Report("comparing", source, options));
  const { consumers = [], stop } = options;
  for (const consumer of consumers) {
    if (stop.aborted) throw new MoveStopped("The move was stopped.");
    await target.moveConsumer(consumer);
  }
  await finish(target, source, consumers);
}

/** Makes the target valid, and before that keeps everything of the source from being used, so that never both can be. */
async function finish(target: MoveTarget, source: MoveSource, consumers: readonly ConsumerMove[]): Promise<void> {
  const sources = [source, ...consumers.map((consumer) => consumer.source)];
  for (const each of sources) each.retire(target.shown);
  try {
    await target.finish(source);
  } catch (error) {
    // If the connection was lost, the target may be valid.
    if (!(error instanceof StoreUnavailable)) for (const each of sources) each.reinstate();
    throw error;
  }
}

async function copyAll(source: MoveSource, target: MoveTarget, report: Report): Promise<void> {
  for (const { table } of source.tables) {
    const before = await target.copiedTo(table);
    report.begin(table, source.rowsUpTo(table, before));
    await inPairs(source.parts(table, before), before, keyOf(table), async (part, after) => {
      for (const row of part) refuse(misfitOf(target, table, row));
      await target.copy(table, after, part);
      report.add(part.length);
    });
  }
}

async function compareAll(source: MoveSource, target: MoveTarget, report: Report): Promise<void> {
  for (const { table } of source.tables) {
    report.begin(table, 0);
    const last = await inPairs(source.parts(table, beforeAll), beforeAll, keyOf(table), async (part, after) => {
      await agree(target, table, await target.difference(table, after, part));
      report.add(part.length);
    });
    const others = await target.rowsAfter(table, last);
    if (others > 0) await agree(target, table, `it has ${others} more after the last row of the source`);
  }
}

async function agree(target: MoveTarget, table: BulkTable, difference: string | undefined): Promise<void> {
  if (difference === undefined) return;
  await target.distrust();
  throw new Error(
    `What was copied to ${target.shown} differs: ${nameOf(table)}: ${difference}. Run the command again: it copies everything anew.`,
  );
}

/**
 * Finds rows that cannot move. Reads the whole source.
 *
 * @throws {MoveStopped} if `stop` aborts.
 */
export async function findMisfits(source: MoveSource, target: MoveTarget, options: MoveOptions): Promise<Misfit[]> {
  const report = new Report("reading", source, options);
  const found: Misfit[] = [];
  for (const { table } of source.tables) {
    report.begin(table, 0);
    for (const part of source.parts(table, beforeAll)) {
      for (const row of part) {
        const misfit = misfitOf(target, table, row);
        if (misfit && found.push(misfit) === mostMisfits) return found;
      }
      report.add(part.length);
      // Lets a signal stop it.
      await new Promise(setImmediate);
    }
  }
  return found;
}

function misfitOf(target: MoveTarget, table: BulkTable, row: MovedRow): Misfit | undefined {
  const why = target.misfit(table, row);
  return why === undefined ? undefined : { table: nameOf(table), key: row[keyOf(table)] as number, why };
}

function refuse(misfit: Misfit | undefined): void {
  if (misfit) throw new Error(`${misfit.table}: row ${misfit.key} cannot be moved, because ${misfit.why}.`);
}

function keyOf(table: BulkTable): string {
  return bulkColumns[table.kind][0];
}

/**
 * Works on parts of a table in order, two at a time, so that one is read and sent while the database works on the other.
 *
 * @param work receives a part, and the key of the row before it.
 * @returns the key of the last row.
 */
async function inPairs(
  parts: Iterable<readonly MovedRow[]>,
  before: number,
  key: string,
  work: (part: readonly MovedRow[], after: number) => Promise<void>,
): Promise<number> {
  let after = before;
  let first: Promise<void> = Promise.resolve();
  for (const part of parts) {
    const second = work(part, after);
    // It is awaited later, unless the first one fails.
    second.catch(() => {});
    after = part.at(-1)?.[key] as number;
    await first;
    first = second;
  }
  await first;
  return after;
}

/** Counts rows, and ends the work when it is to stop. */
class Report {
  #table = "";
  #rows = 0;
  readonly #of: number;

  constructor(
    readonly step: MoveStep,
    source: MoveSource,
    readonly options: MoveOptions,
  ) {
    this.#of = source.tables.reduce((sum, { rows }) => sum + rows, 0);
  }

  begin(table: BulkTable, done: number): void {
    this.#table = nameOf(table);
    this.add(done);
  }

  add(rows: number): void {
    this.#rows += rows;
    this.options.onProgress({ step: this.step, table: this.#table, rows: this.#rows, of: this.#of });
    if (this.options.stop.aborted) throw new MoveStopped("The move was stopped.");
  }
}
