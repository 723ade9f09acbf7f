import type { LogReader } from "../store/log";
import type { NewReplay, ReplayRow } from "../store/replay";
import { timestamp } from "../timing/clock";
import { beginningOf, type CountOptions, countPast, type LogPart } from "./count-past";
import { QueueUnavailable } from "./queue-errors";
import { narrowed } from "./queue-types";
import { parseSelection, type ReplaySelection } from "./replay-selection";

/** A replay and its progress. */
export interface Replay {
  readonly id: string;
  readonly queue: string;
  /** `fill`: fills a new queue with the past events that its consumer asked for. */
  readonly kind: "replay" | "fill";
  /** `queued`: starts when other replays have finished. */
  readonly state: "queued" | "running" | "finished" | "failed" | "cancelled";
  readonly selection: ReplaySelection;
  /** Number of events sent to the queue. */
  readonly sent: number;
  /** Processed share of its part of the log, from 0 to 1. */
  readonly progress: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly error: string | null;
  /** Why events are missing or it makes no progress without an error, such as that no consumer runs. Null if there is nothing to say. */
  readonly note: string | null;
}

/** Minimum rate in events per second: one event every 17 minutes. */
export const leastRate = 0.001;
/** Maximum number of unfinished replays, queued ones included: of one queue without RabbitMQ, of all queues with it. */
const mostUnfinished = 1000;
/** Maximum number of replays that run at the same time. The others are queued. */
export const mostAtOnce = 4;

/** Value of `error` in the row of a cancelled replay. */
export const cancelledError = "cancelled";

/** Thrown for a fill that is to be cancelled: its queue would lack events that its consumer asked for. */
export class NotCancellable extends Error {
  override readonly name = "NotCancellable";
}

/** A replay as its transport has recorded it. */
export interface RecordedReplay {
  readonly row: ReplayRow;
  /** True if it starts when other replays have finished. */
  readonly isQueued?: boolean;
  /** See {@link Replay.note}. */
  readonly note?: string | null;
}

/** Sends replays to the queues of one transport, and records their progress. */
export interface ReplayTransport {
  readonly log: LogReader;
  /**
   * Resolves with the event types that belong on a queue. Null: all types.
   *
   * @throws {UnknownQueue} if the queue does not exist.
   */
  typesOn(queue: string): Promise<readonly string[] | null>;
  /** Resolves with the number of unfinished replays that count with one of this queue. */
  unfinished(queue: string): Promise<number>;
  /**
   * Records a replay, which then begins by itself.
   *
   * @throws {QueueUnavailable} if it cannot begin now.
   */
  begin(replay: Omit<NewReplay, "logId">): Promise<RecordedReplay>;
  find(id: string): Promise<RecordedReplay | undefined>;
  /** Resolves with up to `limit` replays, newest first. May leave out notes that take long. */
  list(limit: number): Promise<RecordedReplay[]>;
  /** Ends an unfinished replay of a queue early. */
  cancel(queue: string, id: string): Promise<void>;
}

/** Starts, cancels and inspects replays. */
export class Replays {
  constructor(readonly transport: ReplayTransport) {}

  /**
   * Starts to send past events to one queue. Resolves before they are sent; a restart of the process does not end the
   * replay.
   *
   * @param part part of the log to send. Default: from the beginning of the selection up to now.
   * @throws {UnknownQueue} if the queue does not exist.
   * @throws {QueueUnavailable} if the queue cannot be checked now, or too many replays are unfinished.
   */
  async start(queue: string, selection: ReplaySelection, part: Partial<LogPart> = {}): Promise<Replay> {
    const { log } = this.transport;
    const sent = await this.belonging(queue, selection);
    if ((await this.transport.unfinished(queue)) >= mostUnfinished)
      throw new QueueUnavailable(`${mostUnfinished} replays are unfinished: cancel some, or wait until some have finished.`);
    const { after = await beginningOf(log, selection), last = await log.end() } = part;
    return toReplay(await this.transport.begin(newReplay(queue, sent, { after, last })));
  }

  /**
   * Resolves with the number of events that a replay would send now: those of the selection that belong on the queue.
   *
   * @throws {UnknownQueue} if the queue does not exist.
   */
  async count(queue: string, selection: ReplaySelection, options?: CountOptions): Promise<number> {
    return countPast(this.transport.log, await this.belonging(queue, selection), options);
  }

  /**
   * Removes from a selection the event types that do not belong on the queue.
   *
   * @throws {UnknownQueue} if the queue does not exist.
   */
  async belonging(queue: string, selection: ReplaySelection): Promise<ReplaySelection> {
    return narrowed(selection, await this.transport.typesOn(queue));
  }

  async get(id: string): Promise<Replay | undefined> {
    const found = await this.transport.find(id);
    return found && toReplay(found);
  }

  /**
   * Ends a replay early. Events already sent stay on the queue. A replay that has ended is unchanged. Resolves with
   * undefined if the replay does not exist.
   *
   * @throws {NotCancellable} for a fill.
   */
  async cancel(id: string): Promise<Replay | undefined> {
    const replay = await this.get(id);
    if (!replay || replay.finishedAt !== null) return replay;
    if (replay.kind === "fill") throw new NotCancellable(`The new queue "${replay.queue}" is being filled; this cannot be cancelled.`);
    await this.transport.cancel(replay.queue, id);
    return this.get(id);
  }

  /** Lists replays, newest first. */
  async list(limit: number): Promise<Replay[]> {
    return (await this.transport.list(limit)).map(toReplay);
  }
}

/** Returns a replay to record. */
export function newReplay(queue: string, selection: ReplaySelection, { after, last }: LogPart, fill = 0): Omit<NewReplay, "logId"> {
  const createdAt = timestamp();
  return { id: Bun.randomUUIDv7(), queue, fill, selection: JSON.stringify(selection), first: after, last, createdAt };
}

/** Returns a replay as users see it. */
export function toReplay({ row, isQueued = false, note = null }: RecordedReplay): Replay {
  const { id, queue, fill, first, position, last, sent, createdAt, finishedAt, error } = row;
  return {
    id,
    queue,
    kind: fill === 1 ? "fill" : "replay",
    state: stateOf(row, isQueued),
    selection: parseSelection(row.selection),
    sent,
    progress: finishedAt !== null && error === null ? 1 : last > first ? Math.min(1, (position - first) / (last - first)) : 0,
    createdAt,
    finishedAt,
    error: error === cancelledError ? null : error,
    note,
  };
}

function stateOf({ finishedAt, error }: ReplayRow, isQueued: boolean): Replay["state"] {
  if (finishedAt === null) return isQueued ? "queued" : "running";
  if (error === null) return "finished";
  return error === cancelledError ? "cancelled" : "failed";
}

export function noConsumerNote(queue: string, what: string): string {
  return `No consumer of "${queue}" is running: ${what}.`;
}
