import { join } from "node:path";
import { beginningOf } from "../delivery/count-past";
import { QueueUnavailable, UnknownQueue } from "../delivery/queue-errors";
import { typesOnQueue } from "../delivery/queue-types";
import { cancelledError, mostAtOnce, newReplay, noConsumerNote, type RecordedReplay, type ReplayTransport } from "../delivery/replays";
import { messageOf } from "../observe/logging";
import type { Leadership } from "../store/leadership";
import type { LogReader } from "../store/log";
import type { NewReplay, ReplayRow } from "../store/replay";
import { timestamp } from "../timing/clock";
import { Signal } from "../timing/signal";
import { RabbitReplayRun, type RabbitReplaysOptions } from "./replay-run";
import { queueState } from "./topology";
import { unanswered } from "./unanswered";
import { whyUnavailable } from "./unavailable";

/** Interval at which the leader looks for replays that other processes have started or cancelled, in milliseconds. */
const lookEveryMs = 1000;

/**
 * Replays from the event log to a RabbitMQ queue. They are stored, so that any process can start, show and cancel them. The leader of
 * `relay` makes them, since a fill pauses the relay. The next leader continues them.
 */
export class RabbitReplays implements ReplayTransport {
  /** Unfinished replays and fills, the oldest first. Empty unless this process leads. */
  readonly #runs = new Map<string, RabbitReplayRun>();
  readonly #wake = new Signal();

  constructor(readonly options: RabbitReplaysOptions) {}

  /** Makes the unfinished replays, and those added later, until the leadership ends. */
  async run(leadership: Leadership): Promise<void> {
    leadership.until.addEventListener("abort", () => this.#wake.raise(), { once: true });
    while (leadership.holds()) {
      try {
        this.#keepUp(await this.options.store.replays.takeOver(leadership), leadership);
      } catch (error) {
        this.options.log.debug({ error: messageOf(error) }, "Cannot look for replays");
      }
      await this.#wake.wait(lookEveryMs);
    }
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    await Promise.all(runs.map(({ working }) => working));
  }

  get log(): LogReader {
    return this.options.store.log;
  }

  /** While RabbitMQ is unavailable, does not check the queue, so that the log can be counted. */
  async typesOn(queue: string): Promise<readonly string[] | null> {
    const { broker, store, catalogue } = this.options;
    if (!whyUnavailable(broker) && !(await queueState(broker, queue).catch(unanswered(queue)))) throw new UnknownQueue(queue);
    return typesOnQueue(queue, catalogue, await store.subscriptions.list());
  }

  async unfinished(): Promise<number> {
    return (await this.#unfinished(0)).length;
  }

  async begin(replay: Omit<NewReplay, "logId">): Promise<RecordedReplay> {
    const trouble = whyUnavailable(this.options.broker);
    if (trouble) throw new QueueUnavailable(trouble);
    await this.#add(replay);
    return (await this.find(replay.id)) as RecordedReplay;
  }

  /** Resolves with whether an unfinished fill will bind this queue to the types its consumer wants. Only the leader knows. */
  async isFilling(queue: string): Promise<boolean> {
    return (await this.#unfinished(1)).some((row) => row.queue === queue && !this.#runs.get(row.id)?.isBound);
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
    const row = await this.options.store.replays.get(id);
    return row && this.#recorded(row, await this.options.store.replays.unfinished(), await this.#noConsumerNote(row));
  }

  async cancel(_queue: string, id: string): Promise<void> {
    const run = this.#runs.get(id);
    if (run) await run.end(cancelledError);
    // The leader, if it is another process, ends the run when it finds this.
    else await this.options.store.replays.end(id, timestamp(), cancelledError);
  }

  /** Ends every run for a queue that was removed. */
  async abandon(queue: string): Promise<void> {
    const rows = await this.options.store.replays.unfinished();
    for (const row of rows) if (row.queue === queue) await this.cancel(queue, row.id);
  }

  async list(limit: number): Promise<RecordedReplay[]> {
    const unfinished = await this.options.store.replays.unfinished();
    return (await this.options.store.replays.list(limit)).map((row) => this.#recorded(row, unfinished, null));
  }

  async #unfinished(fill: number): Promise<ReplayRow[]> {
    return (await this.options.store.replays.unfinished()).filter((row) => row.fill === fill);
  }

  async #noConsumerNote({ queue, finishedAt }: ReplayRow): Promise<string | null> {
    const { broker } = this.options;
    if (whyUnavailable(broker)) return null;
    const state = await queueState(broker, queue).catch(() => undefined);
    if (!state || state.consumerCount > 0 || (finishedAt !== null && state.messageCount === 0)) return null;
    return noConsumerNote(queue, "the events wait in the queue until one starts");
  }

  #recorded(stored: ReplayRow, unfinished: readonly ReplayRow[], note: string | null): RecordedReplay {
    // The leader knows more than it has stored.
    const row = (stored.finishedAt === null && this.#runs.get(stored.id)?.row) || stored;
    const notes = [this.#refusedOf(row), note].filter((each) => each !== null);
    const before = unfinished.filter(({ id, fill }) => id < row.id && fill === row.fill).length;
    return { row, isQueued: row.finishedAt === null && before >= mostAtOnce, note: notes.join(" ") || null };
  }

  #refusedOf({ queue, refused }: ReplayRow): string | null {
    if (refused === 0) return null;
    return `RabbitMQ refused ${refused === 1 ? "one event" : `${refused} events`}; see ${join(this.options.quarantine, queue)}.`;
  }

  async #add(replay: Omit<NewReplay, "logId">): Promise<void> {
    await this.options.store.replays.add(replay);
    this.#wake.raise();
  }

  /** Adds runs for rows without one, and ends those whose row has ended. */
  #keepUp(rows: readonly ReplayRow[], leadership: Leadership): void {
    const ids = new Set(rows.map(({ id }) => id));
    for (const [id, run] of this.#runs) {
      if (ids.has(id)) continue;
      run.ended.abort();
      this.#runs.delete(id);
    }
    for (const row of rows) if (!this.#runs.has(row.id)) this.#runs.set(row.id, new RabbitReplayRun(this.options, row, leadership));
    this.#startNext();
  }

  /** Starts waiting runs, limited separately for fills and replays: each takes a channel and reads the log. */
  #startNext(): void {
    for (const fills of [true, false]) {
      const all = [...this.#runs.values()].filter(({ isFill, ended }) => isFill === fills && !ended.signal.aborted);
      const room = mostAtOnce - all.filter(({ runs }) => runs).length;
      for (const run of all.filter(({ runs }) => !runs).slice(0, Math.max(0, room))) run.start(() => this.#startNext());
    }
  }
}
