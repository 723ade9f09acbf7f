import { join } from "node:path";
import { beginningOf } from "../delivery/count-past";
import { QueueUnavailable, UnknownQueue } from "../delivery/queue-errors";
import { typesOnQueue } from "../delivery/queue-types";
import { cancelledError, mostAtOnce, newReplay, noConsumerNote, type RecordedReplay, type ReplayTransport } from "../delivery/replays";
import { messageOf } from "../observe/logging";
import type { LogReader } from "../store/log";
import type { NewReplay, ReplayRow } from "../store/replay";
import { unavailableIfDenied } from "./denied-access";
import { Unroutable } from "./publisher";
import { RabbitReplayRun, type RabbitReplaysOptions } from "./replay-run";
import { isAccessDenied } from "./reply-code";
import { queueState } from "./topology";
import { whyUnavailable } from "./unavailable";

/** Replays from the event log to a RabbitMQ queue. They are stored, and continue after a restart. */
export class RabbitReplays implements ReplayTransport {
  /** Unfinished replays and fills, the oldest first. */
  readonly #unfinished = new Map<string, RabbitReplayRun>();
  readonly #stopping = new AbortController();

  constructor(readonly options: RabbitReplaysOptions) {}

  /** Continues the runs that an earlier process did not finish. */
  async resume(): Promise<void> {
    for (const row of await this.options.store.replays.unfinished()) this.#unfinished.set(row.id, new RabbitReplayRun(this.options, row));
    this.#startNext();
  }

  /** Position of the slowest run. Events after it must not be pruned. */
  get position(): number {
    return Math.min(...[...this.#unfinished.values()].map(({ row }) => row.position));
  }

  get log(): LogReader {
    return this.options.store.log;
  }

  /** While RabbitMQ is unavailable, does not check the queue, so that the log can be counted. */
  async typesOn(queue: string): Promise<readonly string[] | null> {
    const { broker, store, catalogue } = this.options;
    if (!whyUnavailable(broker) && !(await queueState(broker, queue).catch(unavailableIfDenied(queue)))) throw new UnknownQueue(queue);
    return typesOnQueue(queue, catalogue, await store.subscriptions.list());
  }

  async unfinished(): Promise<number> {
    return this.#all(false).length;
  }

  async begin(replay: Omit<NewReplay, "logId">): Promise<RecordedReplay> {
    const trouble = whyUnavailable(this.options.broker);
    if (trouble) throw new QueueUnavailable(trouble);
    const { row } = await this.#add(replay);
    return this.#recorded(row, await this.#noConsumerNote(row));
  }

  /** Returns whether an unfinished fill will bind this queue to the types its consumer wants. */
  isFilling(queue: string): boolean {
    return this.#all(true).some(({ row, isBound }) => row.queue === queue && !isBound);
  }

  /**
   * Creates a queue, sends it the past events from `startFrom` on, then binds it to new ones, without a gap or a duplicate in between.
   * With `now`, the past events are those committed between this call and the binding.
   */
  async fill(queue: string, types: readonly string[], startFrom: string): Promise<void> {
    const from = startFrom === "beginning" || startFrom === "now" ? null : startFrom;
    const selection = { types, subject: null, from, to: null, rate: null, force: false };
    const end = await this.log.end();
    const after = startFrom === "now" ? end : await beginningOf(this.log, selection);
    await this.#add(newReplay(queue, selection, { after, last: end }, 1));
  }

  async find(id: string): Promise<RecordedReplay | undefined> {
    const row = this.#unfinished.get(id)?.row ?? (await this.options.store.replays.get(id));
    return row && this.#recorded(row, await this.#noConsumerNote(row));
  }

  async cancel(queue: string, id: string): Promise<void> {
    const run = this.#unfinished.get(id);
    if (!run) return;
    await run.end(cancelledError);
    this.#forget(run);
    this.options.log.info({ queue, replay: id, events: run.row.sent }, "Replay cancelled");
  }

  /** Ends every run for a queue that was removed. */
  async abandon(queue: string): Promise<void> {
    for (const run of [...this.#unfinished.values()].filter(({ row }) => row.queue === queue)) {
      await run.end(cancelledError);
      this.#forget(run);
    }
  }

  async list(limit: number): Promise<RecordedReplay[]> {
    const rows = await this.options.store.replays.list(limit);
    return rows.map((row) => this.#recorded(this.#unfinished.get(row.id)?.row ?? row, null));
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #noConsumerNote({ queue, finishedAt }: ReplayRow): Promise<string | null> {
    const { broker } = this.options;
    if (whyUnavailable(broker)) return null;
    const state = await queueState(broker, queue).catch(() => undefined);
    if (!state || state.consumerCount > 0 || (finishedAt !== null && state.messageCount === 0)) return null;
    return noConsumerNote(queue, "the events wait in the queue until one starts");
  }

  #recorded(row: ReplayRow, note: string | null): RecordedReplay {
    const notes = [this.#refusedOf(row), note].filter((each) => each !== null);
    return { row, isQueued: this.#unfinished.get(row.id)?.runs === false, note: notes.join(" ") || null };
  }

  #refusedOf({ queue, refused }: ReplayRow): string | null {
    if (refused === 0) return null;
    return `RabbitMQ refused ${refused === 1 ? "one event" : `${refused} events`}; see ${join(this.options.quarantine, queue)}.`;
  }

  #all(fills: boolean): RabbitReplayRun[] {
    return [...this.#unfinished.values()].filter(({ isFill }) => isFill === fills);
  }

  async #add(replay: Omit<NewReplay, "logId">): Promise<RabbitReplayRun> {
    const { replays } = this.options.store;
    await replays.add(replay);
    const run = new RabbitReplayRun(this.options, (await replays.get(replay.id)) as ReplayRow);
    this.#unfinished.set(replay.id, run);
    this.#startNext();
    return run;
  }

  /** Starts waiting runs, limited separately for fills and replays: each takes a channel and reads the log. */
  #startNext(): void {
    for (const fills of [true, false]) {
      const all = this.#all(fills);
      const room = mostAtOnce - all.filter(({ runs }) => runs).length;
      for (const run of all.filter(({ runs }) => !runs).slice(0, Math.max(0, room))) this.#keepGoing(run);
    }
  }

  #keepGoing(run: RabbitReplayRun): void {
    run.runs = true;
    const { broker, store } = this.options;
    void broker.keepChannel(
      async (channel, closed) => {
        const stop = AbortSignal.any([closed, this.#stopping.signal, run.ended.signal]);
        try {
          // A fill pauses the relay, so the process that relays makes it.
          const task = run.isFill ? "relay" : `replay ${run.row.id}`;
          await store.lead(task, stop, (until) => run.send(channel, until));
          if (stop.aborted) return;
          await run.end();
          const { queue, id, sent, refused } = run.row;
          this.options.log.info({ queue, replay: id, events: sent, ...(refused > 0 && { refused }) }, "Sent past events to a queue");
        } catch (error) {
          const problem = await this.#problemOf(run, error);
          // Any other error leads to a retry on a new channel.
          if (problem === undefined) throw error;
          await run.end(problem);
          this.options.log.warn({ queue: run.row.queue, replay: run.row.id }, problem);
        }
        this.#forget(run);
      },
      AbortSignal.any([run.ended.signal, this.#stopping.signal]),
    );
  }

  /** Returns the reason that the run cannot be finished, or undefined if it can. */
  async #problemOf(run: RabbitReplayRun, error: unknown): Promise<string | undefined> {
    const { queue } = run.row;
    if (isAccessDenied(error)) return `RabbitMQ denies access to the queue "${queue}": ${messageOf(error)}`;
    if (!run.isFill) return error instanceof Unroutable ? `The queue "${queue}" was deleted before all events were sent` : undefined;
    await run.beginAnewIfDeleted();
    return undefined;
  }

  #forget(run: RabbitReplayRun): void {
    this.#unfinished.delete(run.row.id);
    this.#startNext();
  }
}
